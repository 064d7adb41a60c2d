/** `slipway up`: starts a mode and stays as its supervisor. */
import { Command, Option } from "commander";
import type { DefineCommand } from "../define-command.ts";
import { mebibytes } from "../fleet/mebibytes.ts";
import { STATE_DIR_OPTION } from "../fleet/places.ts";
import { keepHeapSmall } from "../fleet/small-heap.ts";
import type { UpFlags } from "../fleet/up-session.ts";

const EXAMPLES = `
Examples:
  slipway up coding                       start the mode and stay; Ctrl-C stops its servers
  slipway up                              take over what a supervisor before left running
  slipway up coding --memory-budget-mib 8000
  slipway up coding --install             write a systemd user unit that does the same
  slipway up coding --install --print     print that unit instead

Exits 0 after Ctrl-C, SIGTERM or slipway down; 3 when the mode was refused or put back, and what ran before it runs on.
A second Ctrl-C ends at once; servers that still run then are taken over by the next slipway up.
`;

export const upCommand: DefineCommand = (io, exit) =>
  new Command("up")
    .argument("[mode]", "presets that run together; slipway mode list shows them")
    .summary("start a mode and stay as its supervisor")
    .description(
      "Starts the servers of a mode, watches over them, and serves the other commands until it is ended.",
    )
    .addHelpText("after", EXAMPLES)
    .option("--presets-dir <dir>", "your own presets and modes, beside the shipped ones (default: presets)")
    .option("--memory-budget-mib <n>", "use at most this much of the memory there is", mebibytes)
    .addOption(
      new Option("--safety-profile <name>", "limits on memory (default: derived from the machine)").choices([
        "derived",
        "study-003",
      ]),
    )
    .option(...STATE_DIR_OPTION)
    .option("--keep", "leave the servers running at the end; the next slipway up takes them over")
    .option("--install", "write a systemd user unit for this command line; starts nothing")
    .option("--print", "with --install: print the unit, write nothing")
    .action(async (mode: string | undefined, flags: UpFlags) => {
      if (flags.install === true || flags.print === true) {
        const { install } = await import("../fleet/install.ts");
        exit(install(mode, flags, io));
        return;
      }
      keepHeapSmall();
      const [{ runUp }, { buildSupervisor }] = await Promise.all([
        import("../fleet/up-session.ts"),
        import("../fleet/build-supervisor.ts"),
      ]);
      exit(await runUp(mode, flags, io, buildSupervisor));
    });
