import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findGpu } from "../../hardware/gpu-catalogue.ts";
import type { GpuSpec } from "../../hardware/gpu-catalogue.ts";
import { DEFAULT_MODEL_SHAPE } from "../model-shape.ts";
import { LLAMA_CPP_KERNELS, stepNs } from "../step-time.ts";
import type { StepTimeModel } from "../step-time.ts";
import { runVirtual } from "./run-virtual.ts";
import type { VirtualClient, VirtualRun } from "./run-virtual.ts";
import { SlotEngine } from "./slot-engine.ts";
import type { SlotEngineOptions } from "./slot-engine-options.ts";

const MS = 1_000_000;
const CONTEXT_TOKENS = 700;

const time: StepTimeModel = {
  model: DEFAULT_MODEL_SHAPE,
  device: findGpu("rtx-4090") as GpuSpec,
  efficiency: LLAMA_CPP_KERNELS,
};

const anyOptions = fc
  .record({
    mode: fc.constantFrom("continuous", "sequential", "time-shared"),
    slots: fc.integer({ min: 1, max: 4 }),
    batchTokens: fc.integer({ min: 5, max: 300 }),
    loadNs: fc.constantFrom(0, 50 * MS),
    jitter: fc.constantFrom(0, 0.05, 0.5),
    seed: fc.nat(1000),
  })
  .map(
    (drawn): SlotEngineOptions => ({
      ...drawn,
      time,
      defaults: { contextTokens: CONTEXT_TOKENS, gpuLayers: 33 },
      speed: 1,
    }),
  );

/** Prompts of few different tokens, so that common beginnings are common. Some do not fit the context. */
const anyRequest = fc
  .record({
    promptTokens: fc.integer({ min: 1, max: 750 }),
    outputTokens: fc.integer({ min: 1, max: 30 }),
    conversation: fc.option(fc.nat(2), { nil: undefined }),
  })
  .map(({ promptTokens, outputTokens, conversation }) => ({
    promptTokens,
    outputTokens,
    ...(conversation === undefined
      ? {}
      : {
          promptIds: Array.from(
            { length: promptTokens },
            (_unused, index) => (conversation + 1) * (index >> 6),
          ),
        }),
  }));

const anyClients = fc
  .array(
    fc.record({
      startNs: fc.integer({ min: 0, max: 100 * MS }),
      thinkNs: fc.constantFrom(0, 3 * MS),
      requests: fc.array(anyRequest, { minLength: 1, maxLength: 3 }),
    }),
    { minLength: 1, maxLength: 5 },
  )
  .map((drawn): VirtualClient[] => drawn.map((one, index) => ({ ...one, name: `agent-${index}` })));

function simulate(options: SlotEngineOptions, clients: readonly VirtualClient[]): VirtualRun {
  return runVirtual(new SlotEngine(options), clients);
}

describe("laws of the simulator", () => {
  it("ends every request once, with exactly its tokens", () => {
    fc.assert(
      fc.property(anyOptions, anyClients, (options, clients) => {
        const run = simulate(options, clients);
        for (const { name, requests } of clients)
          requests.forEach(({ promptTokens, outputTokens }, position) => {
            const done = run.finished.filter((one) => one.client === name && one.position === position);
            const refused = run.refused.filter((one) => one.client === name && one.position === position);
            const room = CONTEXT_TOKENS - promptTokens;
            expect(refused.length).toBe(room < 1 ? 1 : 0);
            expect(done.map(({ tokensNs }) => tokensNs.length)).toEqual(
              room < 1 ? [] : [Math.min(outputTokens, room)],
            );
          });
      }),
    );
  });

  it("keeps causes before effects", () => {
    fc.assert(
      fc.property(anyOptions, anyClients, (options, clients) => {
        for (const { timings, tokensNs, client, position } of simulate(options, clients).finished) {
          expect(timings.startedNs).toBeGreaterThanOrEqual(timings.submittedNs + timings.loadNs);
          expect(timings.firstTokenNs).toBeGreaterThan(timings.startedNs);
          expect(timings.cachedTokens).toBeLessThan(timings.promptTokens);
          expect(tokensNs[0]).toBe(timings.firstTokenNs);
          expect(tokensNs.at(-1)).toBe(timings.latestTokenNs);
          for (let index = 1; index < tokensNs.length; index++)
            expect(tokensNs[index]).toBeGreaterThan(tokensNs[index - 1] as number);
          expect(timings.submittedNs).toBeGreaterThanOrEqual(
            clients.find(({ name }) => name === client)?.startNs ?? Infinity,
          );
          expect(position).toBeGreaterThanOrEqual(0);
        }
      }),
    );
  });

  it("lets a client send only after its last answer and its think time", () => {
    fc.assert(
      fc.property(anyOptions, anyClients, (options, clients) => {
        const run = simulate(options, clients);
        for (const { name, thinkNs } of clients) {
          const own = run.finished.filter((one) => one.client === name);
          for (let index = 1; index < own.length; index++)
            expect(own[index]?.timings.submittedNs).toBeGreaterThanOrEqual(
              (own[index - 1]?.timings.latestTokenNs ?? Infinity) + thinkNs,
            );
        }
      }),
    );
  });

  it("never runs more requests than it has slots, and one at a time when it is sequential", () => {
    fc.assert(
      fc.property(anyOptions, anyClients, (options, clients) => {
        const { finished } = simulate(options, clients);
        const most = options.mode === "sequential" ? 1 : options.slots;
        for (const { timings: one } of finished) {
          const during = finished.filter(
            ({ timings: other }) => other.startedNs <= one.startedNs && one.startedNs < other.latestTokenNs,
          );
          expect(during.length).toBeLessThanOrEqual(most);
          expect(new Set(during.map(({ timings }) => timings.slotId)).size).toBe(during.length);
        }
      }),
    );
  });

  it("gives no token of a request before the whole of its prompt is computed", () => {
    fc.assert(
      fc.property(anyOptions, fc.array(anyRequest, { minLength: 1, maxLength: 6 }), (options, requests) => {
        const engine = new SlotEngine(options);
        const prefilled = new Map<string, number>();
        requests.forEach((request, index) => engine.submit({ ...request, id: `r${index}` }, 0));
        for (let startNs = engine.nextStartNs(); startNs !== undefined; startNs = engine.nextStartNs()) {
          engine.beginStep(startNs);
          const { prefills, emissions } = engine.completeStep();
          for (const { id, doneTokens } of prefills) prefilled.set(id, doneTokens);
          for (const { id, timings } of emissions) expect(prefilled.get(id)).toBe(timings.promptTokens);
        }
      }),
    );
  });

  it("ends what is left when requests are cancelled at any time, and gives no token of a cancelled one", () => {
    const anyCancels = fc.array(fc.record({ step: fc.nat(40), request: fc.nat(5) }), { maxLength: 5 });
    fc.assert(
      fc.property(
        anyOptions,
        fc.array(anyRequest, { minLength: 1, maxLength: 6 }),
        anyCancels,
        (options, requests, cancels) => {
          const engine = new SlotEngine(options);
          const left = new Set<string>();
          requests.forEach((request, index) => {
            const { kind } = engine.submit({ ...request, id: `r${index}` }, 0);
            if (kind === "accepted") left.add(`r${index}`);
          });
          let step = 0;
          for (let startNs = engine.nextStartNs(); startNs !== undefined; startNs = engine.nextStartNs()) {
            engine.beginStep(startNs);
            for (const { request } of cancels.filter((cancel) => cancel.step === step))
              expect(engine.cancel(`r${request}`)).toBe(left.delete(`r${request}`));
            for (const { id, isLast } of engine.completeStep().emissions) {
              expect(left.has(id)).toBe(true);
              if (isLast) left.delete(id);
            }
            step++;
          }
          expect([...left]).toEqual([]);
          expect(engine.slots.every((slot) => slot.requestId === undefined)).toBe(true);
        },
      ),
    );
  });

  it("gives the same bytes for the same seed", () => {
    fc.assert(
      fc.property(anyOptions, anyClients, (options, clients) => {
        expect(JSON.stringify(simulate(options, clients))).toBe(JSON.stringify(simulate(options, clients)));
      }),
    );
  });

  /**
   * Only for requests that arrive together: with later arrivals a faster engine may have begun a
   * long step that a slower one begins later, with the new request in it.
   */
  it("is never slower with more bandwidth for requests that arrive together", () => {
    fc.assert(
      fc.property(
        anyOptions,
        fc.array(anyRequest, { minLength: 1, maxLength: 6 }),
        fc.double({ min: 1, max: 10, noNaN: true }),
        (options, requests, factor) => {
          const clients = requests.map((request, index) => ({
            name: `agent-${index}`,
            startNs: 0,
            thinkNs: 0,
            requests: [request],
          }));
          const device = { ...time.device, bandwidthBytesPerS: time.device.bandwidthBytesPerS * factor };
          const slow = simulate(options, clients).finished;
          const fast = simulate({ ...options, time: { ...time, device } }, clients).finished;
          for (const { client, tokensNs } of slow) {
            const faster = fast.find((one) => one.client === client);
            tokensNs.forEach((ns, index) => expect(faster?.tokensNs[index]).toBeLessThanOrEqual(ns));
          }
        },
      ),
    );
  });

  it("decodes alone at 1/t(1)", () => {
    const options: SlotEngineOptions = {
      time,
      mode: "continuous",
      slots: 4,
      batchTokens: 2048,
      defaults: { contextTokens: 8192, gpuLayers: 33 },
      loadNs: 0,
      jitter: 0,
      speed: 1,
      seed: 1,
    };
    const { finished } = simulate(options, [
      { name: "a", startNs: 0, thinkNs: 0, requests: [{ promptTokens: 512, outputTokens: 2 }] },
    ]);
    const [first, second] = finished[0]?.tokensNs ?? [];
    const t1Ns = stepNs(time, { decodeSequences: 1, decodeContextTokens: 513, prefills: [] });
    expect((second ?? 0) - (first ?? 0)).toBe(Math.round(t1Ns));
  });
});
