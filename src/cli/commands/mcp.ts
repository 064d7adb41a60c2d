/** `slipway mcp`: the fleet and the runs for agents, through the Model Context Protocol. */
import { Command } from "commander";
import type { DefineCommand } from "../define-command.ts";
import type { McpFlags } from "../fleet/mcp/tools.ts";
import { STATE_DIR_OPTION } from "../fleet/places.ts";

const EXAMPLES = `
Examples:
  slipway mcp                    status, presets, plans and runs, for reading alone
  slipway mcp --allow-changes    and switch, start and stop

A client starts it as a process of its own and speaks on stdin and stdout; docs/fleet.md has the set-up.
`;

export const mcpCommand: DefineCommand = (io, exit) =>
  new Command("mcp")
    .summary("serve the fleet to agents over the Model Context Protocol")
    .description("Speaks the Model Context Protocol on stdin and stdout until stdin ends.")
    .addHelpText("after", EXAMPLES)
    .option("--allow-changes", "offer tools that start and stop servers")
    .option("--presets-dir <dir>", "your own presets and modes, beside the shipped ones (default: presets)")
    .option("--runs-dir <dir>", "where runs are kept", "runs")
    .option(...STATE_DIR_OPTION)
    .action(async (flags: McpFlags) => {
      const { serveMcp } = await import("../fleet/mcp/serve.ts");
      await serveMcp(flags, io);
      exit(0);
    });
