/**
 * When presets do not fit together: single changes that make them fit, least loss first. The order
 * of kinds is the order of loss: sleep costs seconds, a slot costs a seat, a shorter context costs
 * memory of the conversation, a smaller cache type may cost quality, leaving out costs the model.
 * Within a kind the less important preset changes first, then the smaller change.
 */
import { formatBytes } from "../core/units.ts";
import { isLoopback } from "../preset/address.ts";
import type { KvType, Preset } from "../preset/preset.ts";
import type { Alternative } from "./control/protocol.ts";
import { SLEEP_FREES_SHARE } from "./plan-switch.ts";
import { kvRowBytes } from "../predict/vram/cache-lines.ts";

/** What a preset takes of the pool, also one whose fields were changed; undefined where that cannot be said. */
export type NeedBytes = (preset: Preset) => number | undefined;

export interface AlternativesQuestion {
  /** All that would run: what starts, and what is kept. */
  readonly presets: readonly Preset[];
  /** How much is too little, margin included. */
  readonly missingBytes: number;
  readonly kind: "gpu" | "host";
  readonly needBytes: NeedBytes;
}

/** Below this no agent can work: a system prompt with tools is longer. */
const SMALLEST_CONTEXT_TOKENS = 4_096;
const CONTEXT_STEP_TOKENS = 4_096;

/** From large to small; what lies between saves little more and costs quality all the same. */
const KV_LADDER = ["f16", "q8_0", "q4_0"] as const satisfies readonly KvType[];

/** Slots tried in a change of several fields: beyond, steps are no longer single slots. */
const MOST_SLOT_STEPS = 64;

/** As many as a screen shows with their sentences. */
const MOST_ALTERNATIVES = 10;

const KINDS = ["sleep", "fewer-slots", "smaller-context", "smaller-kv-type", "leave-out"] as const;

interface Candidate {
  readonly kind: Alternative["kind"];
  readonly preset: Preset;
  readonly changed: Preset;
  readonly change: Alternative["change"];
  /** Part of what the preset offers that is given up, 0 to 1. */
  readonly lost: number;
  readonly what: string;
}

/**
 * Those that fit, at most one of each kind for each preset. When none fits alone: a change of
 * several fields of one preset that does, and then what saves most. Empty where nobody knows what
 * the presets take.
 */
export function proposeAlternatives(question: AlternativesQuestion): readonly Alternative[] {
  if (question.missingBytes <= 0) return [];
  const whole = question.presets.flatMap((preset) => wholeChanges(question, preset));
  const single = question.presets.flatMap((preset) =>
    [slotLadder(preset), contextLadder(preset), kvLadder(preset)].flatMap(
      (ladder) => mildest(question, ladder) ?? [],
    ),
  );
  const several = single.some(({ alternative }) => alternative.fits)
    ? []
    : question.presets.flatMap((preset) => severalFields(question, preset) ?? []);
  const all = [...whole, ...single, ...several].toSorted(byLoss);
  const fitting = all.filter(({ alternative }) => alternative.fits);
  const shown =
    fitting.length > 0
      ? fitting
      : all.toSorted((one, other) => other.alternative.savesBytes - one.alternative.savesBytes);
  return shown.slice(0, MOST_ALTERNATIVES).map(({ alternative }) => alternative);
}

interface Weighed {
  readonly candidate: Candidate;
  readonly alternative: Alternative;
}

function byLoss({ candidate: one }: Weighed, { candidate: other }: Weighed): number {
  return (
    KINDS.indexOf(one.kind) - KINDS.indexOf(other.kind) ||
    one.preset.priority - other.preset.priority ||
    one.lost - other.lost ||
    (one.preset.name < other.preset.name ? -1 : 1)
  );
}

/** Undefined where it saves nothing, or nobody knows. */
function weigh({ needBytes, missingBytes }: AlternativesQuestion, candidate: Candidate): Weighed | undefined {
  const before = needBytes(candidate.preset);
  const after = needBytes(candidate.changed);
  if (before === undefined || after === undefined || after >= before) return undefined;
  const sentence = `${candidate.preset.name} with ${candidate.what}: ${formatBytes(after)} instead of ${formatBytes(before)}`;
  return { candidate, alternative: alternativeOf(candidate, before - after, missingBytes, sentence) };
}

function alternativeOf(
  { kind, preset, change }: Candidate,
  savesBytes: number,
  missingBytes: number,
  sentence: string,
): Alternative {
  return { kind, preset: preset.name, sentence, savesBytes, fits: savesBytes >= missingBytes, change };
}

/** The first step of a ladder that fits, else the last that saves anything. */
function mildest(question: AlternativesQuestion, ladder: Iterable<Candidate>): Weighed | undefined {
  let last: Weighed | undefined;
  for (const candidate of ladder) {
    const weighed = weigh(question, candidate);
    if (weighed?.alternative.fits === true) return weighed;
    last = weighed ?? last;
  }
  return last;
}

/** Sleep and leaving out: the preset itself stays as it is. */
function wholeChanges(
  { presets, kind, needBytes, missingBytes }: AlternativesQuestion,
  preset: Preset,
): Weighed[] {
  const bytes = needBytes(preset);
  if (bytes === undefined || bytes === 0) return [];
  const weighed: Weighed[] = [];
  if (preset.engine === "vllm" && kind === "gpu" && isLoopback(preset.host)) {
    const sleepLevel = preset.sleepLevel ?? 1;
    const freed = Math.round(bytes * SLEEP_FREES_SHARE);
    const sentence = `${preset.name} asleep (level ${sleepLevel}) until it is needed: about ${formatBytes(freed)} of its ${formatBytes(bytes)} come free, and the first request waits for it to wake`;
    const candidate = {
      kind: "sleep",
      preset,
      changed: preset,
      change: { sleepLevel },
      lost: 0,
      what: "",
    } as const;
    weighed.push({ candidate, alternative: alternativeOf(candidate, freed, missingBytes, sentence) });
  }
  if (!presets.some(({ dependsOn }) => dependsOn.includes(preset.name))) {
    const sentence = `without ${preset.name}: its ${formatBytes(bytes)} are not needed`;
    const candidate = { kind: "leave-out", preset, changed: preset, change: {}, lost: 1, what: "" } as const;
    weighed.push({ candidate, alternative: alternativeOf(candidate, bytes, missingBytes, sentence) });
  }
  return weighed;
}

/** Engines whose memory follows these fields; vLLM takes its share of the card whatever they say. */
type Adjustable = Extract<Preset, { engine: "llama-server" | "ollama" }>;

function isAdjustable(preset: Preset): preset is Adjustable {
  return preset.engine === "llama-server" || preset.engine === "ollama";
}

function* slotLadder(preset: Preset): Generator<Candidate> {
  if (!isAdjustable(preset) || preset.slots === undefined) return;
  for (let slots = preset.slots - 1; slots >= 1; slots--)
    yield {
      kind: "fewer-slots",
      preset,
      changed: { ...preset, slots },
      change: { slots },
      lost: 1 - slots / preset.slots,
      what: `${slots} slot${slots === 1 ? "" : "s"} instead of ${preset.slots}`,
    };
}

function* contextLadder(preset: Preset): Generator<Candidate> {
  if (!isAdjustable(preset) || preset.contextTokensPerSlot === undefined) return;
  const before = preset.contextTokensPerSlot;
  for (const tokens of contextSteps(before))
    yield {
      kind: "smaller-context",
      preset,
      changed: { ...preset, contextTokensPerSlot: tokens },
      change: { contextTokensPerSlot: tokens },
      lost: 1 - tokens / before,
      what: `${tokens} tokens per slot instead of ${before}`,
    };
}

/** Whole steps below `before`, largest first. */
function contextSteps(before: number): readonly number[] {
  const largest = Math.ceil(before / CONTEXT_STEP_TOKENS) - 1;
  const smallest = SMALLEST_CONTEXT_TOKENS / CONTEXT_STEP_TOKENS;
  return Array.from(
    { length: Math.max(0, largest - smallest + 1) },
    (_, index) => (largest - index) * CONTEXT_STEP_TOKENS,
  );
}

function* kvLadder(preset: Preset): Generator<Candidate> {
  if (!isAdjustable(preset) || (preset.engine === "ollama" && preset.serve === "running")) return;
  const now = preset.engine === "ollama" ? preset.kvType : preset.kvTypeK;
  for (const type of KV_LADDER) {
    if (blockBytes(type) >= blockBytes(now ?? "f16")) continue;
    const change = kvChange(preset, type);
    yield {
      kind: "smaller-kv-type",
      preset,
      changed: { ...preset, ...change },
      change,
      lost: 1 - blockBytes(type) / blockBytes(now ?? "f16"),
      what: `a ${type} cache instead of ${now ?? "f16"}`,
    };
  }
}

/** Quantised values, unlike keys, need flash attention. */
function kvChange(preset: Adjustable, type: (typeof KV_LADDER)[number]): Record<string, string> {
  if (preset.engine === "ollama") return { kvType: type };
  return preset.flashAttention === "off" ? { kvTypeK: type } : { kvTypeK: type, kvTypeV: type };
}

/** Of 32 values, the block that all types share. */
function blockBytes(type: KvType): number {
  return kvRowBytes(type, 32);
}

/**
 * Slots, context and at last the cache type of one preset together: the one that keeps the most
 * tokens in slots. Needs are taken to grow with each field, so that the context is found by halving.
 */
function severalFields(question: AlternativesQuestion, preset: Preset): Weighed | undefined {
  if (!isAdjustable(preset) || preset.slots === undefined || preset.contextTokensPerSlot === undefined)
    return undefined;
  const steps = contextSteps(preset.contextTokensPerSlot);
  const bases: readonly (Candidate | undefined)[] = [undefined, ...kvLadder(preset)];
  for (const base of bases) {
    const fitting = slotSteps(preset.slots).flatMap((slots) => {
      const at = (tokens: number): Weighed | undefined =>
        weigh(question, joined(preset, base, slots, tokens));
      return largestThatFits([preset.contextTokensPerSlot as number, ...steps], at) ?? [];
    });
    const best = fitting.toSorted((one, other) => one.candidate.lost - other.candidate.lost)[0];
    if (best !== undefined) return best;
  }
  return undefined;
}

function slotSteps(slots: number): readonly number[] {
  const step = Math.ceil(slots / MOST_SLOT_STEPS);
  return Array.from({ length: Math.ceil(slots / step) }, (_, index) => slots - index * step);
}

/** `values` fall, and so do the needs: once one fits, all after it do. */
function largestThatFits(
  values: readonly number[],
  at: (value: number) => Weighed | undefined,
): Weighed | undefined {
  let found: Weighed | undefined;
  let low = 0;
  let high = values.length - 1;
  while (low <= high) {
    const middle = Math.floor((low + high) / 2);
    const weighed = at(values[middle] as number);
    if (weighed?.alternative.fits === true) {
      found = weighed;
      high = middle - 1;
    } else low = middle + 1;
  }
  return found;
}

function joined(preset: Adjustable, base: Candidate | undefined, slots: number, tokens: number): Candidate {
  const before = { slots: preset.slots ?? 1, tokens: preset.contextTokensPerSlot ?? tokens };
  const change = { ...base?.change, slots, contextTokensPerSlot: tokens };
  return {
    kind: base === undefined ? "smaller-context" : "smaller-kv-type",
    preset,
    changed: { ...preset, ...change },
    change,
    lost: 1 - (slots * tokens) / (before.slots * before.tokens),
    what: `${slots} of ${before.slots} slots, ${tokens} of ${before.tokens} tokens each${base === undefined ? "" : ` and ${base.what}`}`,
  };
}
