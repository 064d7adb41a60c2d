/** The worker thread's side of `startSimulatedEngineInWorker`. */
import { parentPort, workerData } from "node:worker_threads";
import { realClock } from "../../core/clock.ts";
import { messageOf } from "../../core/errors.ts";
import type { SimulatedOptions } from "./options.ts";
import { startSimulatedEngine } from "./start.ts";
import type { WorkerMessage } from "./start.ts";

const tell = (message: WorkerMessage): void => parentPort?.postMessage(message);
try {
  const engine = await startSimulatedEngine(workerData as SimulatedOptions, realClock);
  tell({ kind: "listening", url: engine.url });
} catch (thrown) {
  tell({ kind: "failed", message: messageOf(thrown) });
}
