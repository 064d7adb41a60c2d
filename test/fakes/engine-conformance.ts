/**
 * What every engine does, whichever server is behind it. Run it with `describeEngine` on fakes, on
 * the simulated engine and on real servers; a case that an engine cannot pass is skipped with its
 * reason, which is printed.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { realClock } from "../../src/core/clock.ts";
import { msToNs } from "../../src/core/units.ts";
import type {
  Completion,
  Engine,
  EngineCapabilities,
  GenerateContext,
  GenerateRequest,
  SamplingOptions,
} from "../../src/engines/engine.ts";

export interface EngineUnderTest {
  readonly engine: Engine;
  readonly model: string;
  stop(): Promise<void>;
}

export type ConformanceCase = keyof typeof CASES;

export interface ConformanceOptions {
  readonly skips?: Partial<Record<ConformanceCase, string>>;
}

export function describeEngine(
  name: string,
  setup: () => Promise<EngineUnderTest>,
  { skips = {} }: ConformanceOptions = {},
): void {
  describe(`conformance of ${name}`, () => {
    let subject: EngineUnderTest | undefined;
    beforeAll(async () => {
      subject = await setup();
    });
    afterAll(async () => {
      await subject?.engine.close();
      await subject?.stop();
    });
    for (const [title, run] of Object.entries(CASES) as [ConformanceCase, Case][])
      test(title, async (context) => {
        if (subject === undefined) throw new Error("the engine did not start");
        const reason = skips[title] ?? missing(run.needs, subject.engine);
        if (reason !== undefined) context.skip(reason);
        await run.check(subject);
      });
  });
}

interface Case {
  readonly needs?: keyof EngineCapabilities;
  readonly check: (subject: EngineUnderTest) => Promise<void>;
}

function missing(needs: keyof EngineCapabilities | undefined, engine: Engine): string | undefined {
  if (needs === undefined || engine.capabilities[needs]) return undefined;
  return `${engine.kind} does not offer "${needs}"`;
}

/** Wide enough for a model on a loaded CPU; no case waits for one of them to pass. */
const LIMITS = { gapMs: 60_000, totalMs: 120_000, loadingMs: 60_000 };
const PROMPT = "Count slowly from one upwards, in words.";

function ask(
  { engine, model }: EngineUnderTest,
  options: SamplingOptions,
  more: Partial<GenerateRequest> & { readonly context?: Partial<GenerateContext> } = {},
): Promise<Completion> {
  const { context, ...request } = more;
  const messages =
    request.prompt === undefined ? { messages: [{ role: "user", content: PROMPT }] as const } : {};
  return engine.generate(
    { model, ...messages, options: { temperature: 0, seed: 1, ...options }, stream: true, ...request },
    { clock: realClock, limits: LIMITS, ...context },
  );
}

/** All that the model said, whichever way it said it. */
function textOf({ decoded }: Completion): string {
  return decoded.reasoning + decoded.content + decoded.toolCalls;
}

function expectOrderedStamps({ sentNs, firstByteNs, endNs, decoded }: Completion): void {
  const stamps = [sentNs, firstByteNs, decoded.firstTokenNs, decoded.lastTokenNs, endNs];
  expect(stamps.every((stamp) => typeof stamp === "number")).toBe(true);
  expect(stamps).toEqual(stamps.toSorted((one, other) => Number(one) - Number(other)));
  const texts = [...decoded.textStampsNs];
  expect(texts).toEqual(texts.toSorted((one, other) => one - other));
  expect(texts[0]).toBe(decoded.firstTokenNs);
  expect(texts.at(-1)).toBe(decoded.lastTokenNs);
}

const CASES = {
  "answers that it is healthy": {
    check: async ({ engine }) => {
      await expect(engine.health()).resolves.toBeTypeOf("object");
    },
  },
  "lists its model": {
    check: async ({ engine, model }) => {
      expect(await engine.models()).toContain(model);
    },
  },
  "tells facts about itself": {
    check: async ({ engine, model }) => {
      const facts = await engine.facts(model);
      expect(facts).toMatchObject({ engine: engine.kind, model });
      expect(facts.url).toMatch(/^http/);
      for (const value of [facts.slots, facts.contextTokens, facts.modelLayers])
        if (value !== undefined) expect(value).toBeGreaterThan(0);
      if (engine.capabilities.slots) expect(facts.slots).toBe((await engine.slots?.())?.length);
    },
  },
  "streams text and counts its tokens": {
    needs: "stream",
    check: async (subject) => {
      const completion = await ask(subject, { maxTokens: 16 });
      expect(completion.outcome).toEqual({ kind: "ok" });
      expect(textOf(completion)).not.toBe("");
      const { decoded } = completion;
      expect(decoded.events.text).toBeGreaterThan(0);
      expect(decoded.textStampsNs.length).toBe(decoded.events.text);
      expect(decoded.outputTokens).toBeGreaterThanOrEqual(1);
      expect(decoded.inputTokens).toBeGreaterThanOrEqual(1);
      if (decoded.textTokens !== undefined)
        expect(decoded.textTokens.reduce((sum, tokens) => sum + tokens, 0)).toBeLessThanOrEqual(
          decoded.outputTokens ?? 0,
        );
    },
  },
  "stamps what happened in order": {
    needs: "stream",
    check: async (subject) => {
      expectOrderedStamps(await ask(subject, { maxTokens: 8 }));
      expectOrderedStamps(await ask(subject, { maxTokens: 8 }, { stream: false }));
    },
  },
  "gives the same shape without streaming": {
    check: async (subject) => {
      const completion = await ask(subject, { maxTokens: 8 }, { stream: false });
      expect(completion.outcome).toEqual({ kind: "ok" });
      expect(textOf(completion)).not.toBe("");
      expect(completion.decoded.events.text).toBe(1);
      expect(completion.decoded.outputTokens).toBeGreaterThanOrEqual(1);
      expect(completion.decoded.outputTokens).toBeLessThanOrEqual(8);
    },
  },
  "completes a plain prompt": {
    needs: "completion",
    check: async (subject) => {
      const completion = await ask(subject, { maxTokens: 8 }, { prompt: PROMPT });
      expect(completion.outcome).toEqual({ kind: "ok" });
      expect(completion.decoded.outputTokens).toBeLessThanOrEqual(8);
    },
  },
  "honours the most tokens asked for": {
    check: async (subject) => {
      for (const maxTokens of [1, 5]) {
        const { decoded, outcome } = await ask(subject, { maxTokens });
        expect(outcome).toEqual({ kind: "ok" });
        expect(decoded.outputTokens).toBeLessThanOrEqual(maxTokens);
      }
    },
  },
  "produces exactly the tokens asked for": {
    needs: "ignoreEos",
    check: async (subject) => {
      const { decoded } = await ask(subject, { maxTokens: 24, ignoreEos: true });
      expect(decoded.outputTokens).toBe(24);
      expect(decoded.finishReason).toBe("length");
    },
  },
  "closes the socket of a cancelled request and frees its slot": {
    needs: "stream",
    check: async (subject) => {
      const abort = new AbortController();
      const completion = await ask(
        subject,
        { maxTokens: 2000, ignoreEos: true },
        {
          context: {
            signal: abort.signal,
            onProgress: (textEvents) => {
              if (textEvents > 0) abort.abort(new Error("enough"));
            },
          },
        },
      );
      expect(completion.outcome).toEqual({ kind: "cancelled", reason: "enough" });
      expect(completion.decoded.events.text).toBeGreaterThan(0);
      // Where slots can be seen, ours is free again; where not, the next request is served.
      if (subject.engine.capabilities.slots) await slotsAreFree(subject.engine);
      expect((await ask(subject, { maxTokens: 2 })).outcome).toEqual({ kind: "ok" });
    },
  },
  "keeps two concurrent streams apart": {
    needs: "stream",
    check: async (subject) => {
      const options = { maxTokens: 12, seed: 3 };
      const alone = await ask(subject, options);
      const together = await Promise.all([ask(subject, options), ask(subject, { ...options, maxTokens: 6 })]);
      expect(together.map(({ outcome }) => outcome.kind)).toEqual(["ok", "ok"]);
      // Greedy decoding says the same again, and the shorter answer is the longer one's beginning.
      expect(together[0] === undefined ? "" : textOf(together[0])).toBe(textOf(alone));
      expect(textOf(alone).startsWith(together[1] === undefined ? "?" : textOf(together[1]))).toBe(true);
    },
  },
  "says that a model does not exist": {
    check: async ({ engine }) => {
      const request = {
        model: "no-such-model",
        messages: [{ role: "user", content: "hi" }],
        options: { maxTokens: 1 },
        stream: true,
      } as const;
      const { outcome } = await engine.generate(request, { clock: realClock, limits: LIMITS });
      expect(outcome).toMatchObject({ kind: "failed", code: "MODEL_NOT_FOUND", httpStatus: 404 });
    },
  },
  "counts the tokens of a text": {
    needs: "tokenize",
    check: async ({ engine, model }) => {
      expect(await engine.tokenize?.(model, "")).toBe(0);
      const one = (await engine.tokenize?.(model, "one two three")) ?? 0;
      expect(one).toBeGreaterThan(0);
      expect(await engine.tokenize?.(model, "one two three one two three")).toBeGreaterThan(one);
    },
  },
  "loads and unloads a model": {
    needs: "unload",
    check: async ({ engine, model }) => {
      expect(await engine.load?.(model, {})).toBeGreaterThanOrEqual(0);
      expect((await engine.loaded?.())?.map((loaded) => loaded.model)).toContain(model);
      await engine.unload?.(model);
      expect((await engine.loaded?.())?.map((loaded) => loaded.model)).not.toContain(model);
      await engine.load?.(model, {});
    },
  },
} as const satisfies Record<string, Case>;

/** Longest wait for a server to notice that its client left: it looks between two tokens. */
const SLOT_WAIT_MS = 20_000;
const SLOT_POLL_MS = 20;

async function slotsAreFree(engine: Engine): Promise<void> {
  const untilNs = realClock.nowNs() + msToNs(SLOT_WAIT_MS);
  for (;;) {
    const slots = (await engine.slots?.()) ?? [];
    if (!slots.some((slot) => slot.busy)) return;
    if (realClock.nowNs() > untilNs) throw new Error("a slot stayed busy after its request was cancelled");
    await realClock.sleepUntil(realClock.nowNs() + msToNs(SLOT_POLL_MS));
  }
}
