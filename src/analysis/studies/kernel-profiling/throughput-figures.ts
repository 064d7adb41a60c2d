/** Study 002, throughput: SS4, SS5, SS6 and SS7 from the per-run rates. */
import { median, quantile, sortedNumbers } from "../../../stats/quantile.ts";
import type { RecomputedFigures } from "../recomputed-figures.ts";
import { changePct, effectOf, mannWhitneyOf, meanOf, spreadOf, welchOf } from "../sample-figures.ts";
import type { KernelProfilingInputs } from "./inputs.ts";
import { BACKENDS, conditionOf, MODELS, pooled } from "./inputs.ts";

type Samples = { readonly alone: readonly number[]; readonly together: readonly number[] };

export function throughputFigures(book: RecomputedFigures, inputs: KernelProfilingInputs): void {
  for (const condition of inputs.conditions) {
    const id = `throughput.${condition.id}`;
    const runs = { runs: condition.tokS };
    book.put(`${id}.mean`, runs, (values) => meanOf(values.runs));
    book.put(`${id}.low`, runs, (values) => spreadOf(values.runs).ci95.low);
    book.put(`${id}.high`, runs, (values) => spreadOf(values.runs).ci95.high);
    book.put(`${id}.sd`, runs, (values) => spreadOf(values.runs).sd);
    book.put(`${id}.cv`, runs, (values) => spreadOf(values.runs).cvPct as number);
    if (condition.backend === "ollama")
      book.put(`${id}.median`, runs, (values) => median(values.runs) as number);
    if (condition.backend === "ollama" && condition.agents === 1)
      book.put(`${id}.p90`, runs, (values) => quantile(sortedNumbers(values.runs), 0.9) as number);
  }
}

export function degradationFigures(book: RecomputedFigures, inputs: KernelProfilingInputs): void {
  for (const backend of BACKENDS)
    for (const model of MODELS) {
      const samples = {
        alone: conditionOf(inputs, backend, model, 1).tokS,
        together: conditionOf(inputs, backend, model, 8).tokS,
      };
      const id = `degradation.${backend}-${model}`;
      book.put(`${id}.pct`, samples, change);
      book.put(`${id}.p`, samples, ({ alone, together }) => welchOf(alone, together).p);
      book.put(`${id}.d`, samples, ({ alone, together }) => effectOf(alone, together));
    }
}

function change({ alone, together }: Samples): number {
  return changePct(meanOf(alone), meanOf(together));
}

export function pooledFigures(book: RecomputedFigures, inputs: KernelProfilingInputs): void {
  for (const backend of BACKENDS) {
    const alone = pooled(inputs, backend, 1, "tokS");
    const together = pooled(inputs, backend, 8, "tokS");
    const samples = { alone, together };
    const id = `pooled.${backend}`;
    for (const [agents, runs] of [
      [1, alone],
      [8, together],
    ] as const) {
      book.put(`${id}.mean${agents}`, { runs }, (values) => meanOf(values.runs));
      book.put(`${id}.low${agents}`, { runs }, (values) => spreadOf(values.runs).ci95.low);
      book.put(`${id}.high${agents}`, { runs }, (values) => spreadOf(values.runs).ci95.high);
    }
    book.put(`${id}.pct`, samples, change);
    const tests = `pooled-tests.${backend}`;
    book.put(`${tests}.p`, samples, (values) => welchOf(values.alone, values.together).p);
    book.put(`${tests}.d`, samples, (values) => effectOf(values.alone, values.together));
    book.put(`${tests}.mwp`, samples, (values) => mannWhitneyOf(values.alone, values.together).p);
    if (backend === "pytorch") continue;
    book.put(`${tests}.t`, samples, (values) => welchOf(values.alone, values.together).statistic);
    book.put(`${tests}.u`, samples, (values) => mannWhitneyOf(values.alone, values.together).u1);
  }
}

/** PyTorch's degradation is called the GPU's share, Ollama's the net; the latter less the former is what the study calls the share of the serving stack. */
export function attributionFigures(book: RecomputedFigures, inputs: KernelProfilingInputs): void {
  const samplesOf = (backend: "ollama" | "pytorch", model?: "1b" | "3b") => ({
    alone:
      model === undefined ? pooled(inputs, backend, 1, "tokS") : conditionOf(inputs, backend, model, 1).tokS,
    together:
      model === undefined ? pooled(inputs, backend, 8, "tokS") : conditionOf(inputs, backend, model, 8).tokS,
  });
  for (const model of [...MODELS, undefined]) {
    const ollama = samplesOf("ollama", model);
    const pytorch = samplesOf("pytorch", model);
    const id = `attribution.${model ?? "overall"}`;
    book.put(
      `${id}.stack`,
      { oa: ollama.alone, ot: ollama.together, pa: pytorch.alone, pt: pytorch.together },
      ({ oa, ot, pa, pt }) => change({ alone: pa, together: pt }) - change({ alone: oa, together: ot }),
    );
    if (model !== undefined) continue;
    book.put(`${id}.physics`, pytorch, (samples) => -change(samples));
    book.put(`${id}.net`, ollama, (samples) => -change(samples));
  }
}

export function backendFigures(book: RecomputedFigures, inputs: KernelProfilingInputs): void {
  for (const model of MODELS) {
    const runs = (backend: "ollama" | "pytorch", agents: 1 | 8) =>
      conditionOf(inputs, backend, model, agents).tokS;
    const alone = { ollama: runs("ollama", 1), pytorch: runs("pytorch", 1) };
    const together = { ollama: runs("ollama", 8), pytorch: runs("pytorch", 8) };
    book.put(`backends.${model}.alone`, alone, ratio);
    book.put(`backends.${model}.together`, together, ratio);
    book.put(
      `backends.${model}.growth`,
      { o1: alone.ollama, p1: alone.pytorch, o8: together.ollama, p8: together.pytorch },
      ({ o1, p1, o8, p8 }) => meanOf(o8) / meanOf(p8) - meanOf(o1) / meanOf(p1),
    );
  }
  for (const [agents, column] of [
    [1, "alone"],
    [8, "together"],
  ] as const) {
    const samples = {
      ollama: pooled(inputs, "ollama", agents, "tokS"),
      pytorch: pooled(inputs, "pytorch", agents, "tokS"),
    };
    book.put(`backends.pooled.${column}`, samples, ratio);
    for (const backend of BACKENDS)
      book.put(`backend-means.${agents}.${backend}`, { runs: samples[backend] }, ({ runs }) => meanOf(runs));
    book.put(`backends.pooled.p${agents}`, samples, ({ ollama, pytorch }) => welchOf(ollama, pytorch).p);
    book.put(`backends.pooled.d${agents}`, samples, ({ ollama, pytorch }) => effectOf(ollama, pytorch));
  }
}

function ratio({
  ollama,
  pytorch,
}: {
  readonly ollama: readonly number[];
  readonly pytorch: readonly number[];
}): number {
  return meanOf(ollama) / meanOf(pytorch);
}
