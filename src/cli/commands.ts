/** Every command, in the order `--help` shows them. */
import { benchCommand } from "./commands/bench.ts";
import { capacityCommand } from "./commands/capacity.ts";
import { compareCommand } from "./commands/compare.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { downCommand } from "./commands/down.ts";
import { engineCommand } from "./commands/engine.ts";
import { logsCommand } from "./commands/logs.ts";
import { mcpCommand } from "./commands/mcp.ts";
import { modeCommand } from "./commands/mode.ts";
import { presetCommand } from "./commands/preset.ts";
import { profileCommand } from "./commands/profile.ts";
import { recordCommand } from "./commands/record.ts";
import { reportCommand } from "./commands/report.ts";
import { routeCommand } from "./commands/route.ts";
import { runsCommand } from "./commands/runs.ts";
import { simulateCommand } from "./commands/simulate.ts";
import { statusCommand } from "./commands/status.ts";
import { upCommand } from "./commands/up.ts";
import type { DefineCommand } from "./define-command.ts";

export const COMMANDS: readonly DefineCommand[] = [
  doctorCommand,
  benchCommand,
  capacityCommand,
  simulateCommand,
  routeCommand,
  recordCommand,
  compareCommand,
  reportCommand,
  runsCommand,
  profileCommand,
  presetCommand,
  upCommand,
  downCommand,
  modeCommand,
  statusCommand,
  logsCommand,
  mcpCommand,
  engineCommand,
];
