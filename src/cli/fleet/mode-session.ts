/** The actions of `slipway mode`. */
import { OperatorError } from "../../core/errors.ts";
import { formatBytes } from "../../core/units.ts";
import { askSupervisor } from "../../fleet/control/client.ts";
import type { FleetStatus, SwitchPlan } from "../../fleet/control/protocol.ts";
import type { CliIo, ExitCode } from "../io.ts";
import { ask } from "./ask.ts";
import { alignColumns } from "./bar.ts";
import { type StateFlags, socketOf } from "./places.ts";
import { renderPlan, renderRollback, renderUp } from "./plan-view.ts";
import { loadPresets } from "./preset-folders.ts";
import { declaredTogetherBytes } from "./preset-list.ts";
import { modeStanding } from "./status-view.ts";
import { presetsOfMode } from "../../preset/catalogue.ts";

interface ModeFlags extends PlanFlags {
  readonly json?: true;
}

interface PlanFlags extends StateFlags {
  readonly presetsDir?: string;
  readonly memoryBudgetMib?: number;
}

export async function listModes(flags: ModeFlags, io: CliIo): Promise<ExitCode> {
  const catalogue = loadPresets(io, flags.presetsDir);
  const status = await statusIfAny(flags, io);
  const current = status?.mode;
  const modes = [...catalogue.modes.values()].map(({ mode }) => ({
    mode: mode.name,
    up: mode.name === current,
    ...(mode.description === undefined ? {} : { description: mode.description }),
    presets: mode.presets,
    declared: declaredTogetherBytes(presetsOfMode(catalogue, mode.name)),
  }));
  if (flags.json === true) {
    const document = modes.map(({ declared, ...mode }) => ({
      ...mode,
      ...(declared === undefined ? {} : { declaredVramBytes: declared }),
    }));
    io.out(`${JSON.stringify({ modes: document }, undefined, 2)}\n`);
    return 0;
  }
  const left = { heading: "", align: "left" } as const;
  const rows = modes.map((mode) => [
    mode.up ? "▶" : "",
    mode.mode,
    formatBytes(mode.declared),
    mode.presets.join(", "),
  ]);
  const columns = [
    left,
    { heading: "mode", align: "left" },
    { heading: "VRAM", align: "right" },
    { heading: "presets", align: "left" },
  ] as const;
  const head = (status === undefined ? undefined : modeStanding(status)) ?? "No mode is up";
  io.out(`${head}.\n\n${alignColumns(columns, rows).join("\n")}\n`);
  return 0;
}

/**
 * The supervisor's own plan; without one, a plan as if nothing ran. Exits 3 when the mode would be
 * refused. Throws FLAG_INVALID for flags that a supervisor which runs does not heed.
 */
export async function planMode(mode: string, flags: ModeFlags, io: CliIo): Promise<ExitCode> {
  const told = await supervisorsPlan(mode, flags, io);
  if (told !== undefined) refuseUnheeded(flags);
  const plan = told ?? (await planAlone(mode, flags, io));
  if (flags.json === true) io.out(`${JSON.stringify(plan, undefined, 2)}\n`);
  else io.out(renderPlan(plan, { columns: io.outColumns, color: io.color }));
  return plan.fits ? 0 : 3;
}

/** As {@link planMode} gets it, whatever the flags. */
export async function planAnyhow(mode: string, flags: PlanFlags, io: CliIo): Promise<SwitchPlan> {
  return (await supervisorsPlan(mode, flags, io)) ?? planAlone(mode, flags, io);
}

async function supervisorsPlan(mode: string, flags: StateFlags, io: CliIo): Promise<SwitchPlan | undefined> {
  try {
    return await ask({ do: "plan", mode }, flags, io);
  } catch (thrown) {
    if (isAbsent(thrown)) return undefined;
    throw thrown;
  }
}

async function planAlone(mode: string, flags: PlanFlags, io: CliIo): Promise<SwitchPlan> {
  const { planWithoutSupervisor } = await import("./build-supervisor.ts");
  return planWithoutSupervisor(mode, flags, io);
}

/** Its plan would be of something else than what was asked. */
function refuseUnheeded({ presetsDir, memoryBudgetMib }: PlanFlags): void {
  const unheeded = [
    ...(presetsDir === undefined ? [] : ["--presets-dir"]),
    ...(memoryBudgetMib === undefined ? [] : ["--memory-budget-mib"]),
  ];
  if (unheeded.length === 0) return;
  throw new OperatorError("FLAG_INVALID", {
    message: "a supervisor runs here, and plans with its own presets and budget",
    received: unheeded.join(" "),
    nextStep: "leave it out, or plan as if nothing ran with: --state-dir <an empty folder>",
  });
}

export async function switchMode(mode: string, flags: ModeFlags, io: CliIo): Promise<ExitCode> {
  const report = await ask({ do: "switch", mode }, flags, io);
  const reached = report.outcome !== "rolled-back";
  if (flags.json === true) io.out(`${JSON.stringify(report, undefined, 2)}\n`);
  else if (reached) io.out(renderUp(await ask({ do: "status" }, flags, io), report));
  else io.err(renderRollback(report, mode, { columns: io.outColumns, color: io.color }));
  return reached ? 0 : 3;
}

export async function statusIfAny(flags: StateFlags, io: CliIo): Promise<FleetStatus | undefined> {
  try {
    return await askSupervisor({ do: "status" }, { socketPath: socketOf(flags, io), clock: io.clock });
  } catch (thrown) {
    if (isAbsent(thrown)) return undefined;
    throw thrown;
  }
}

function isAbsent(thrown: unknown): boolean {
  return thrown instanceof OperatorError && thrown.code === "SUPERVISOR_ABSENT";
}
