/**
 * Runs closed-loop clients against the simulator in virtual time: each sends its next request when
 * the last has ended and its think time is over. At one instant a step ends first, then requests
 * arrive, then the next step begins.
 */
import { defined } from "../../core/assert.ts";
import type { RequestTimings, SimulatedRequest, Step } from "./simulated-request.ts";
import type { SlotEngine } from "./slot-engine.ts";

export interface VirtualClient {
  readonly name: string;
  readonly startNs: number;
  /** From the end of one request to the sending of the next. */
  readonly thinkNs: number;
  readonly requests: readonly Omit<SimulatedRequest, "id">[];
}

export interface VirtualResult {
  readonly client: string;
  readonly position: number;
  readonly timings: RequestTimings;
  /** When each output token came out. */
  readonly tokensNs: readonly number[];
}

export interface VirtualRun {
  readonly finished: readonly VirtualResult[];
  /** Requests that did not fit the context: the client goes on with its next one. */
  readonly refused: readonly { readonly client: string; readonly position: number }[];
  readonly endNs: number;
}

interface Progress {
  readonly client: VirtualClient;
  /** When the next request is sent; undefined while one is out or none is left. */
  nextNs: number | undefined;
  position: number;
  tokensNs: number[];
}

export function runVirtual(engine: SlotEngine, clients: readonly VirtualClient[]): VirtualRun {
  const finished: VirtualResult[] = [];
  const refused: { client: string; position: number }[] = [];
  const owners = new Map<string, Progress>();
  const all: Progress[] = clients.map((client) => ({
    client,
    nextNs: client.requests.length > 0 ? client.startNs : undefined,
    position: 0,
    tokensNs: [],
  }));

  const goOn = (progress: Progress, atNs: number): void => {
    progress.position++;
    progress.tokensNs = [];
    const more = progress.position < progress.client.requests.length;
    progress.nextNs = more ? atNs + progress.client.thinkNs : undefined;
  };

  const send = (progress: Progress, nowNs: number): void => {
    const { client, position } = progress;
    const id = `${client.name}/${position}`;
    const request = defined(client.requests[position], "the client's next request");
    if (engine.submit({ ...request, id }, nowNs).kind === "refused") {
      refused.push({ client: client.name, position });
      goOn(progress, nowNs);
    } else {
      owners.set(id, progress);
      progress.nextNs = undefined;
    }
  };

  const complete = (): void => {
    const { atNs, emissions } = engine.completeStep();
    for (const { id, timings, isLast } of emissions) {
      const progress = defined(owners.get(id), "the owner of a token");
      progress.tokensNs.push(atNs);
      if (!isLast) continue;
      const { client, position, tokensNs } = progress;
      finished.push({ client: client.name, position, timings, tokensNs });
      owners.delete(id);
      goOn(progress, atNs);
    }
  };

  let step: Step | undefined;
  let nowNs = 0;
  for (;;) {
    if (step === undefined) {
      const startNs = engine.nextStartNs();
      if (startNs !== undefined && startNs <= nowNs) step = engine.beginStep(startNs);
    }
    const nextNs = Math.min(step?.endNs ?? Infinity, ...all.map((progress) => progress.nextNs ?? Infinity));
    if (nextNs === Infinity) return { finished, refused, endNs: nowNs };
    nowNs = nextNs;
    if (step !== undefined && step.endNs === nowNs) {
      step = undefined;
      complete();
    }
    for (const progress of all)
      while (progress.nextNs !== undefined && progress.nextNs <= nowNs) send(progress, nowNs);
  }
}
