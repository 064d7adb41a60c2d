/** `slipway status`: what runs, what it holds, and how busy it is. */
import { Command } from "commander";
import { OperatorError } from "../../core/errors.ts";
import type { DefineCommand } from "../define-command.ts";
import { STATE_DIR_OPTION, type StateFlags } from "../fleet/places.ts";

interface StatusFlags extends StateFlags {
  readonly watch?: true;
  readonly json?: true;
}

const EXAMPLES = `
Examples:
  slipway status             the mode, memory, and each preset that is not stopped
  slipway status --watch     the same, redrawn every second; a block for each change where stdout is no terminal
  slipway status --json      one JSON document, with everything that is known

Exits 3 when no supervisor runs.
`;

export const statusCommand: DefineCommand = (io, exit) =>
  new Command("status")
    .summary("show presets, memory, busy slots and speed")
    .description("Asks the supervisor what runs. Changes nothing.")
    .addHelpText("after", EXAMPLES)
    .option("--watch", "go on until Ctrl-C")
    .option(...STATE_DIR_OPTION)
    .option("--json", "one JSON document on stdout")
    .action(async (flags: StatusFlags) => {
      if (flags.watch === true) {
        if (flags.json === true) throw watchIsNoDocument();
        const [{ watchStatus }, { socketOf }] = await Promise.all([
          import("../fleet/watch-status.ts"),
          import("../fleet/places.ts"),
        ]);
        exit(await watchStatus(socketOf(flags, io), io));
        return;
      }
      const [{ ask }, { renderStatus }] = await Promise.all([
        import("../fleet/ask.ts"),
        import("../fleet/status-view.ts"),
      ]);
      const status = await ask({ do: "status" }, flags, io);
      if (flags.json === true) io.out(`${JSON.stringify(status, undefined, 2)}\n`);
      else io.out(renderStatus(status, { columns: io.outColumns, color: io.color }));
      exit(0);
    });

function watchIsNoDocument(): OperatorError {
  return new OperatorError("FLAG_INVALID", {
    message: "--json prints one document and --watch never ends",
    received: "--watch --json",
    nextStep: "ask again and again with slipway status --json, or watch without --json",
  });
}
