/** Starts the simulated engine, in this thread or in one of its own. */
import { Worker } from "node:worker_threads";
import type { AddressInfo } from "node:net";
import type { Clock } from "../../core/clock.ts";
import { OperatorError, messageOf, systemCodeOf } from "../../core/errors.ts";
import { SimulatedHost } from "./host.ts";
import { settleOptions } from "./options.ts";
import type { SimulatedOptions, SimulatedSettings } from "./options.ts";
import { createServer } from "./server.ts";

export interface StartedEngine {
  readonly url: string;
  /** Closes every connection. */
  stop(): Promise<void>;
}

/** Throws FLAG_INVALID for bad options and PORT_IN_USE. */
export async function startSimulatedEngine(options: SimulatedOptions, clock: Clock): Promise<StartedEngine> {
  const settings = settleOptions(options);
  const host = new SimulatedHost(settings, clock);
  const app = createServer(host);
  try {
    await app.listen({ port: settings.port, host: settings.host });
  } catch (thrown) {
    await app.close();
    throw listenError(settings, thrown);
  }
  host.loadAtStart();
  const { port } = app.server.address() as AddressInfo;
  return {
    url: `http://${settings.host.includes(":") ? `[${settings.host}]` : settings.host}:${port}`,
    stop: async () => {
      host.stop();
      await app.close();
    },
  };
}

/** Taken, not allowed, or not an address of this machine. */
const LISTEN_FAILURES: readonly (string | undefined)[] = [
  "EADDRINUSE",
  "EACCES",
  "EADDRNOTAVAIL",
  "ENOTFOUND",
];

function listenError(settings: SimulatedSettings, thrown: unknown): unknown {
  if (!LISTEN_FAILURES.includes(systemCodeOf(thrown))) return thrown;
  return new OperatorError("PORT_IN_USE", {
    message: `the simulated engine cannot listen: ${messageOf(thrown)}`,
    received: `${settings.host}:${settings.port}`,
    nextStep: "choose another port (0 takes a free one) or an address of this machine",
    cause: thrown,
  });
}

/** What the worker tells its starter. */
export type WorkerMessage =
  | { readonly kind: "listening"; readonly url: string }
  | { readonly kind: "failed"; readonly message: string };

/**
 * In a worker thread, so that simulated decoding does not run in the loop that takes the stamps.
 * Options are checked here first, so that a bad one fails as in the same thread.
 */
export async function startSimulatedEngineInWorker(options: SimulatedOptions): Promise<StartedEngine> {
  settleOptions(options);
  const worker = new Worker(new URL("./worker-main.js", import.meta.url), { workerData: options });
  const message = await new Promise<WorkerMessage>((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
  });
  if (message.kind === "failed") {
    await worker.terminate();
    throw new OperatorError("PORT_IN_USE", {
      message: message.message,
      received: options.port,
      nextStep: "choose another port; 0 takes a free one",
    });
  }
  // From here on the measuring program decides how long it lives.
  worker.unref();
  return {
    url: message.url,
    stop: async () => {
      await worker.terminate();
    },
  };
}
