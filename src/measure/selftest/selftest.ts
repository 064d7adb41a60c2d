/** `bench --selftest`: starts the emitter in another process and measures every cell of a grid. */
import { setMaxListeners } from "node:events";
import { fileURLToPath } from "node:url";
import type { Clock } from "../../core/clock.ts";
import { OperatorError, printable } from "../../core/errors.ts";
import { CONTROL_TIMEOUT_MS } from "../../core/limits.ts";
import { plainEnvironment, startChild } from "../../core/process.ts";
import type { OwnedChild } from "../../core/process.ts";
import { exchange } from "../../engines/exchange.ts";
import type { GenerateTarget } from "../../engines/generate.ts";
import { createHttpTransport } from "../../engines/http-transport.ts";
import { openAiDataPlane } from "../../engines/openai/data-plane.ts";
import type { Certificate, CertifiedCell } from "./certificate.ts";
import { certify, describeMachine, readLoadAverage1 } from "./certificate.ts";
import { LAG_PATH } from "./emitter.ts";
import type { EmitterLag } from "./emitter.ts";
import { GRIDS, WARM_UP } from "./grid.ts";
import type { Grid } from "./grid.ts";
import { measureCell } from "./receiver.ts";
import type { CellPlan } from "./receiver.ts";

export interface SelftestOptions {
  readonly clock: Clock;
  readonly signal?: AbortSignal;
  /** The quick one by default. */
  readonly grid?: Grid;
  /** Called when a cell is done. */
  readonly onProgress?: (progress: SelftestProgress) => void;
}

export interface SelftestProgress {
  readonly done: number;
  readonly total: number;
  readonly cell: CertifiedCell;
}

/**
 * Measures this machine. Nothing else of weight should run on it meanwhile; what does run is in the
 * figures. Throws PROCESS_FAILED when the emitter cannot be started, and the signal's reason.
 */
export async function runSelftest(options: SelftestOptions): Promise<Certificate> {
  const { clock, signal, grid = GRIDS.quick, onProgress } = options;
  // Hundreds of requests listen to the one signal; Node would call that a leak.
  if (signal !== undefined) setMaxListeners(0, signal);
  const loadAverage1Before = readLoadAverage1();
  const { child, url } = await startEmitter(clock);
  const transport = createHttpTransport(url, { clock });
  const target: GenerateTarget = { plane: openAiDataPlane(), transport, url, shown: printable };
  try {
    await certifyCell(WARM_UP, target, options);
    const cells: CertifiedCell[] = [];
    for (const plan of grid.cells) {
      signal?.throwIfAborted();
      const cell = await certifyCell(plan, target, options);
      cells.push(cell);
      onProgress?.({ done: cells.length, total: grid.cells.length, cell });
    }
    const facts = { machine: describeMachine(), createdIso: clock.wallIso(), grid: grid.name };
    return certify({ ...facts, ...(loadAverage1Before === undefined ? {} : { loadAverage1Before }) }, cells);
  } finally {
    await transport.close();
    await child.stop();
  }
}

async function certifyCell(
  plan: CellPlan,
  target: GenerateTarget,
  { clock, signal }: SelftestOptions,
): Promise<CertifiedCell> {
  const context = { clock, ...(signal === undefined ? {} : { signal }) };
  const measurement = await measureCell(plan, target, context);
  return { ...measurement, emitterLag: await readLag(target, clock) };
}

/** Also forgets the lag up to here, so that the next reading is of the next cell alone. */
async function readLag(target: GenerateTarget, clock: Clock): Promise<EmitterLag> {
  let text = "";
  const limits = { gapMs: CONTROL_TIMEOUT_MS, totalMs: CONTROL_TIMEOUT_MS };
  const request = { method: "GET", path: LAG_PATH, headers: {} } as const;
  const { ending } = await exchange(request, {
    clock,
    transport: target.transport,
    url: target.url,
    ...limits,
    consume: (bytes) => {
      text += Buffer.from(bytes).toString("latin1");
      return "more";
    },
  });
  if (ending.kind !== "complete") throw emitterFailed(`its lag could not be read: ${ending.kind}`);
  return JSON.parse(text) as EmitterLag;
}

/** Sources run untranspiled only under the tests, where the emitter is the one that was built. */
const EMITTER_PATH = fileURLToPath(
  import.meta.url.endsWith(".ts")
    ? new URL("../../../dist/measure/selftest/emitter-main.js", import.meta.url)
    : new URL("./emitter-main.js", import.meta.url),
);

async function startEmitter(clock: Clock): Promise<{ child: OwnedChild; url: string }> {
  let onPort: (port: string) => void = () => undefined;
  const port = new Promise<string>((resolve) => {
    onPort = resolve;
  });
  const child = await startChild(
    {
      command: process.execPath,
      args: [EMITTER_PATH],
      env: plainEnvironment(),
      onStdoutLine: (line) => onPort(line.replace("port ", "")),
    },
    clock,
  );
  const exited = child.exited.then(({ stderrTail }) => {
    throw emitterFailed(stderrTail);
  });
  return { child, url: `http://127.0.0.1:${await Promise.race([port, exited])}` };
}

function emitterFailed(received: string): OperatorError {
  return new OperatorError("PROCESS_FAILED", {
    message: "the self-test's emitter failed",
    received,
    nextStep: "run the self-test again; report it if it stays",
  });
}
