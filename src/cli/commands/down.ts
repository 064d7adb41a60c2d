/** `slipway down`: ends the supervisor. */
import { Command, Option } from "commander";
import type { DefineCommand } from "../define-command.ts";
import { STATE_DIR_OPTION, type StateFlags } from "../fleet/places.ts";

interface DownFlags extends StateFlags {
  readonly keep?: true;
  readonly now?: true;
  readonly json?: true;
}

export const downCommand: DefineCommand = (io, exit) =>
  new Command("down")
    .summary("stop all servers and end the supervisor")
    .description("Lets running requests end, stops all servers, and ends the supervisor.")
    .addHelpText(
      "after",
      "\nExamples:\n  slipway down           stop everything\n  slipway down --now     the same, cutting running requests off\n  slipway down --keep    end the supervisor alone; the next slipway up takes its servers over\n",
    )
    .option("--keep", "leave the servers running")
    .addOption(
      new Option("--now", "cut running requests off, also where an earlier down waits for them").conflicts(
        "keep",
      ),
    )
    .option(...STATE_DIR_OPTION)
    .option("--json", "one JSON document on stdout")
    .action(async (flags: DownFlags) => {
      const { ask } = await import("../fleet/ask.ts");
      const servers = flags.keep === true ? "keep" : "stop";
      await ask({ do: "shutdown", servers, ...(flags.now === true ? { now: true } : {}) }, flags, io);
      const told =
        servers === "keep" ? "the supervisor has ended; its servers run on" : "all servers are stopped";
      io.out(flags.json === true ? `${JSON.stringify({ servers })}\n` : `${told}\n`);
      exit(0);
    });
