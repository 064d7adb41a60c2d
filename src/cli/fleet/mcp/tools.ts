/** What an agent may ask: the same questions as the commands', with the same answers. */
import { resolve } from "node:path";
import { z } from "zod";
import { askSupervisor } from "../../../fleet/control/client.ts";
import type { ControlProgress, SwitchReport } from "../../../fleet/control/protocol.ts";
import { presetNameSchema } from "../../../preset/preset.ts";
import type { CliIo } from "../../io.ts";
import { planAnyhow } from "../mode-session.ts";
import { type StateFlags, socketOf } from "../places.ts";
import { presetsDocument } from "./presets-document.ts";
import { oneRunDocument, runsDocument } from "./runs-document.ts";

export interface McpFlags extends StateFlags {
  readonly allowChanges?: true;
  readonly presetsDir?: string;
  readonly runsDir: string;
}

export interface ToolResult {
  readonly document: Readonly<Record<string, unknown>>;
  readonly failed: boolean;
}

export interface ToolCall {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: ControlProgress) => void;
}

export interface McpTool {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly input: z.ZodObject;
  readonly changes: "nothing" | "starts-servers" | "stops-servers";
  /** Arguments have passed the schema. Throws operator errors. */
  run(args: Readonly<Record<string, string | undefined>>, call: ToolCall): Promise<ToolResult>;
}

const nothing = z.strictObject({});
const mode = z.strictObject({ mode: presetNameSchema.describe("the name of a mode") });
const preset = z.strictObject({ preset: presetNameSchema.describe("the name of a preset") });
/** Ids of runs are made of these; a path would lead out of the runs directory. */
const run = z.strictObject({
  run: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/, "the id of a run, or its beginning")
    .max(120)
    .optional()
    .describe("the id of one run, or a beginning that only one run has; absent: a list of all"),
});

export function mcpTools(flags: McpFlags, io: CliIo): readonly McpTool[] {
  const socketPath = socketOf(flags, io);
  const reading: readonly McpTool[] = [
    {
      name: "status",
      title: "What runs",
      description:
        "The mode that is up, each preset with its state, URL, busy slots and tokens per second, memory in bytes, warnings.",
      input: nothing,
      changes: "nothing",
      run: async (_args, { signal }) =>
        done(await askSupervisor({ do: "status" }, { socketPath, clock: io.clock, signal })),
    },
    {
      name: "presets",
      title: "Presets and modes",
      description:
        "What could be started: each preset with engine, model, slots, context and declared memory, and each mode.",
      input: nothing,
      changes: "nothing",
      run: () => Promise.resolve(done(presetsDocument(flags.presetsDir, io))),
    },
    {
      name: "plan",
      title: "What a switch would do",
      description:
        "What switching to a mode would stop, start and keep, memory before, during and after, every check, and alternatives that fit if it does not. Changes nothing. Without a supervisor it is reckoned as if nothing ran.",
      input: mode,
      changes: "nothing",
      run: async (args) => done(await planAnyhow(args["mode"] ?? "", flags, { ...io, err: () => undefined })),
    },
    {
      name: "runs",
      title: "Benchmark runs",
      description: "The latest benchmark runs with what became of them, or the summary of one run.",
      input: run,
      changes: "nothing",
      run: (args) => {
        const runsDir = resolve(io.cwd, flags.runsDir);
        const one = args["run"];
        return Promise.resolve(
          done(one === undefined ? runsDocument(runsDir) : oneRunDocument(runsDir, one, io.cwd)),
        );
      },
    },
  ];
  return flags.allowChanges === true ? [...reading, ...changingTools(socketPath, io)] : reading;
}

function changingTools(socketPath: string, io: CliIo): readonly McpTool[] {
  const options = (call: ToolCall) => ({ socketPath, clock: io.clock, ...call });
  return [
    {
      name: "switch",
      title: "Switch the mode",
      description:
        "Makes a mode the one that runs, or puts everything back and says which step failed and why. Running requests are waited for, then servers that the mode does not have are stopped for everybody. Minutes, when models are large. Ask plan before.",
      input: mode,
      changes: "stops-servers",
      run: async (args, call) =>
        reported(await askSupervisor({ do: "switch", mode: args["mode"] ?? "" }, options(call))),
    },
    {
      name: "start",
      title: "Start a preset",
      description: "Adds one preset to what runs, if the memory suffices. Nothing is stopped for it.",
      input: preset,
      changes: "starts-servers",
      run: async (args, call) =>
        reported(await askSupervisor({ do: "start", preset: args["preset"] ?? "" }, options(call))),
    },
    {
      name: "stop",
      title: "Stop a preset",
      description: "Lets the running requests of one preset end, then stops its server for everybody.",
      input: preset,
      changes: "stops-servers",
      run: async (args, call) =>
        reported(await askSupervisor({ do: "stop", preset: args["preset"] ?? "" }, options(call))),
    },
  ];
}

function done(document: object): ToolResult {
  return { document: { ...document }, failed: false };
}

/** A switch that was put back has failed, and its report says why; the error stands where other errors do. */
function reported(report: SwitchReport): ToolResult {
  if (report.outcome !== "rolled-back") return done(report);
  const { failure } = report;
  const error =
    failure === undefined
      ? {}
      : { error: { code: failure.code, message: failure.message, nextStep: failure.nextStep } };
  return { document: { ...error, ...report }, failed: true };
}
