import { describe, expect, it } from "vitest";
import { PAPER_ENGINE } from "../../../test/fakes/paper-device.ts";
import { runVirtual } from "./run-virtual.ts";
import type { VirtualClient } from "./run-virtual.ts";
import { SlotEngine } from "./slot-engine.ts";
import type { SlotEngineOptions } from "./slot-engine-options.ts";

const MS = 1_000_000;

function client(name: string, startMs: number, ...requests: [promptTokens: number, outputTokens: number][]) {
  return {
    name,
    startNs: startMs * MS,
    thinkNs: 0,
    requests: requests.map(([promptTokens, outputTokens]) => ({ promptTokens, outputTokens })),
  } satisfies VirtualClient;
}

/** When each client's tokens came out, ms; its requests one after the other. */
function tokenTimesMs(
  options: Partial<SlotEngineOptions>,
  ...clients: VirtualClient[]
): Record<string, number[]> {
  const run = runVirtual(new SlotEngine({ ...PAPER_ENGINE, ...options }), clients);
  const times: Record<string, number[]> = {};
  for (const { client: name, tokensNs } of run.finished)
    times[name] = [...(times[name] ?? []), ...tokensNs.map((ns) => ns / MS)];
  return times;
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_unused, index) => index);
}

describe("continuous batching", () => {
  it("gives the first token at the end of the prefill and then one per decode step", () => {
    expect(tokenTimesMs({}, client("a", 0, [50, 3]))).toEqual({ a: [50, 60, 70] });
  });

  it("shares steps: eight decode as fast as one while the weights are what is waited for", () => {
    const clients = range(8).map((index) => client(`a${index}`, 0, [10, 3]));
    const times = tokenTimesMs({ slots: 8 }, ...clients);
    for (const { name } of clients) expect(times[name]).toEqual([80, 90, 100]);
  });

  it("lets decoding slots wait for a prompt that is in the same step", () => {
    // b's 59 prompt tokens and a's next token are one step of 60 tokens.
    expect(tokenTimesMs({}, client("a", 0, [20, 3]), client("b", 25, [59, 2]))).toEqual({
      a: [20, 30, 90],
      b: [90, 100],
    });
  });

  it("cuts prompts into chunks that fill the batch beside the decoding slots", () => {
    // a's first token at 20; then steps of 1 + 29 tokens while b's 87 are prefilled in three chunks.
    expect(tokenTimesMs({ batchTokens: 30 }, client("a", 0, [20, 5]), client("b", 5, [87, 1]))).toEqual({
      a: [20, 50, 80, 110, 120],
      b: [110],
    });
  });

  it("queues what finds no free slot, first come, first served", () => {
    const times = tokenTimesMs(
      { slots: 1 },
      client("a", 0, [10, 2]),
      client("b", 2, [10, 1]),
      client("c", 1, [10, 1]),
    );
    expect(times).toEqual({ a: [10, 20], c: [30], b: [40] });
  });

  it("admits a request at the next step boundary, not in the middle of a step", () => {
    expect(tokenTimesMs({}, client("a", 0, [100, 1]), client("b", 1, [10, 1]))).toEqual({
      a: [100],
      b: [110],
    });
  });
});

describe("the other ways of serving", () => {
  it("sequential finishes one request before it looks at the next, whatever the slots", () => {
    expect(tokenTimesMs({ mode: "sequential" }, client("a", 0, [10, 3]), client("b", 0, [10, 2]))).toEqual({
      a: [10, 20, 30],
      b: [40, 50],
    });
  });

  it("time-shared hands the device round: each of two decodes at half the rate", () => {
    expect(tokenTimesMs({ mode: "time-shared" }, client("a", 0, [10, 3]), client("b", 0, [10, 3]))).toEqual({
      a: [10, 30, 50],
      b: [20, 40, 60],
    });
  });

  it("goes faster by the speed factor", () => {
    expect(tokenTimesMs({ speed: 10 }, client("a", 0, [50, 3]))).toEqual({ a: [5, 6, 7] });
  });
});

describe("loading", () => {
  it("keeps the first request until the model is there and says how long that took", () => {
    const engine = new SlotEngine({ ...PAPER_ENGINE, loadNs: 500 * MS });
    const { finished } = runVirtual(engine, [client("a", 0, [50, 1], [50, 1]), client("b", 100, [50, 1])]);
    expect(
      finished.map(({ client: name, timings }) => [name, timings.loadNs / MS, timings.startedNs / MS]),
    ).toEqual([
      ["a", 500, 500],
      ["b", 400, 500],
      ["a", 0, 600],
    ]);
  });

  it("loads again for other settings, after what runs has ended", () => {
    const engine = new SlotEngine({ ...PAPER_ENGINE, loadNs: 500 * MS });
    const other = { contextTokens: 512, gpuLayers: 2 };
    const { finished } = runVirtual(engine, [
      client("a", 0, [10, 3]),
      {
        name: "b",
        startNs: 505 * MS,
        thinkNs: 0,
        requests: [{ promptTokens: 10, outputTokens: 1, load: other }],
      },
    ]);
    // a: loaded at 500, tokens at 510, 520, 530; then 500 ms of loading for b.
    expect(finished.map(({ tokensNs }) => tokensNs.map((ns) => ns / MS))).toEqual([[510, 520, 530], [1040]]);
    expect(engine.loaded).toEqual(other);
  });

  it("unloads only while nothing runs", () => {
    const engine = new SlotEngine({ ...PAPER_ENGINE });
    engine.submit({ id: "a", promptTokens: 10, outputTokens: 1 }, 0);
    engine.beginStep(0);
    expect(engine.unload()).toBe(false);
    engine.completeStep();
    expect(engine.unload()).toBe(true);
    expect(engine.loaded).toBeUndefined();
  });
});

describe("prompt cache", () => {
  const prompt = range(50);

  it("computes only what follows the common beginning of the slot's last prompt", () => {
    const next = [...prompt.slice(0, 30), ...range(20).map((index) => 1000 + index)];
    const engine = new SlotEngine(PAPER_ENGINE);
    const { finished } = runVirtual(engine, [
      {
        name: "a",
        startNs: 0,
        thinkNs: 0,
        requests: [prompt, next].map((promptIds) => ({ promptTokens: 50, outputTokens: 1, promptIds })),
      },
    ]);
    expect(finished.map(({ timings }) => timings.cachedTokens)).toEqual([0, 30]);
    expect(finished.map(({ tokensNs }) => tokensNs[0])).toEqual([50 * MS, 70 * MS]);
  });

  it("computes the last token of a prompt that is cached as a whole", () => {
    const engine = new SlotEngine({ ...PAPER_ENGINE, slots: 1 });
    const requests = [prompt, prompt].map((promptIds) => ({ promptTokens: 50, outputTokens: 1, promptIds }));
    const { finished } = runVirtual(engine, [{ name: "a", startNs: 0, thinkNs: 0, requests }]);
    expect(finished.map(({ timings }) => timings.cachedTokens)).toEqual([0, 49]);
  });

  it("gives each conversation its own slot back, and a new one the slot that was unused longest", () => {
    const engine = new SlotEngine({ ...PAPER_ENGINE, slots: 2 });
    const prompts = [0, 1000, 0, 2000].map((base) => range(50).map((index) => base + index));
    const requests = prompts.map((promptIds) => ({ promptTokens: 50, outputTokens: 1, promptIds }));
    const { finished } = runVirtual(engine, [{ name: "a", startNs: 0, thinkNs: 0, requests }]);
    expect(finished.map(({ timings }) => timings.slotId)).toEqual([0, 1, 0, 1]);
    expect(finished.map(({ timings }) => timings.cachedTokens)).toEqual([0, 0, 49, 0]);
  });
});

describe("a request's limits", () => {
  it("refuses a prompt that leaves no room in the context", () => {
    const engine = new SlotEngine(PAPER_ENGINE);
    expect(engine.submit({ id: "a", promptTokens: 1000, outputTokens: 1 }, 0)).toEqual({
      kind: "refused",
      contextTokens: 1000,
    });
  });

  it("cuts the output to what the context leaves and says so", () => {
    const engine = new SlotEngine(PAPER_ENGINE);
    expect(engine.submit({ id: "a", promptTokens: 990, outputTokens: 50 }, 0)).toEqual({
      kind: "accepted",
      outputTokens: 10,
      cutByContext: true,
    });
  });

  it("lets others by while a request insists on a busy slot", () => {
    const engine = new SlotEngine({ ...PAPER_ENGINE, slots: 2 });
    const pinned = {
      name: "b",
      startNs: MS,
      thinkNs: 0,
      requests: [{ promptTokens: 10, outputTokens: 1, slotId: 0 }],
    };
    const { finished } = runVirtual(engine, [client("a", 0, [10, 3]), pinned, client("c", 2, [10, 1])]);
    expect(finished.map(({ client: name, timings }) => [name, timings.slotId])).toEqual([
      ["c", 1],
      ["a", 0],
      ["b", 0],
    ]);
  });
});

describe("cancelling", () => {
  it("frees the slot at once, in the middle of a step, and no token of the request comes any more", () => {
    const engine = new SlotEngine({ ...PAPER_ENGINE, slots: 1 });
    engine.submit({ id: "a", promptTokens: 100, outputTokens: 5 }, 0);
    engine.submit({ id: "b", promptTokens: 10, outputTokens: 1 }, 0);
    engine.beginStep(0);
    expect(engine.slots[0]?.requestId).toBe("a");
    expect(engine.cancel("a")).toBe(true);
    expect(engine.slots[0]?.requestId).toBeUndefined();
    expect(engine.completeStep().emissions).toEqual([]);
    expect(engine.beginStep(engine.nextStartNs() as number).startNs).toBe(100 * MS);
    expect(engine.completeStep().emissions.map(({ id }) => id)).toEqual(["b"]);
  });

  it("takes a waiting request out of the queue", () => {
    const engine = new SlotEngine(PAPER_ENGINE);
    engine.submit({ id: "a", promptTokens: 10, outputTokens: 1 }, 0);
    expect(engine.cancel("a")).toBe(true);
    expect(engine.nextStartNs()).toBeUndefined();
    expect(engine.cancel("a")).toBe(false);
  });
});
