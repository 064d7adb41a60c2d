/** Study 002: what its figures should be read against. */
import { detectableEffect } from "../../../stats/power.ts";
import { queueingNull } from "./queueing-null.ts";
import { meanOf, spreadOf } from "../sample-figures.ts";
import type { CorrectionTable, PublishedFigures } from "../study-findings.ts";
import { GROUP_SIZES } from "./demand-figures.ts";
import type { Backend, KernelProfilingInputs, Model } from "./inputs.ts";
import { BACKEND_NAMES, BACKENDS, conditionOf, MODELS, modelOf, pooled } from "./inputs.ts";
import { twoCounts } from "./request-walls.ts";

export function kernelProfilingCorrections(
  inputs: KernelProfilingInputs,
  published: PublishedFigures,
): readonly CorrectionTable[] {
  return [
    degradationAgainstNull(inputs),
    attribution(inputs),
    impliedTokens(inputs),
    bandwidth(inputs),
    pooling(inputs),
    power(published),
  ];
}

const CONDITIONS: readonly (readonly [Backend, Model])[] = BACKENDS.flatMap((backend) =>
  MODELS.map((model) => [backend, model] as const),
);

const label = (backend: Backend, model: Model): string => `${BACKEND_NAMES[backend]} ${model.toUpperCase()}`;

function degradationAgainstNull(inputs: KernelProfilingInputs): CorrectionTable {
  const { agentsTogether: agents, requestsPerAgentTogether: rounds } = inputs.settings;
  const shared = (1 / agents - 1) * 100;
  const once = queueingNull(agents, 1);
  const asRun = queueingNull(agents, rounds);
  const nullRow = (name: string, one: typeof once) => ({
    label: name,
    values: [one.degradationByRatesPct, one.gainByRates, one.degradationByWallsPct, one.gainByWalls],
  });
  return {
    id: "degradation-null",
    title: `Degradation at N = ${agents}, by either count, against what no fault at all would show`,
    note: `Gain: ${agents} × what each agent keeps. The published count is the mean of per-request rates; by wall times it is tokens over time. Plain queueing serves one request at a time in order of arrival and gains nothing, yet shows a gain of H_${agents} = ${once.gainByRates.toFixed(2)} by the published count when each agent sends one request, and ${asRun.gainByRates.toFixed(2)} when each sends ${rounds}, as here. A device that is shared evenly leaves each agent 1/${agents}.`,
    columns: [
      { heading: "by rates", unit: "percent", decimals: 1 },
      { heading: "gain", unit: "times", decimals: 2 },
      { heading: "by walls", unit: "percent", decimals: 1 },
      { heading: "gain", unit: "times", decimals: 2 },
    ],
    rows: [
      ...CONDITIONS.map(([backend, model]) => {
        const counts = twoCounts(inputs, backend, model);
        return {
          label: label(backend, model),
          values: [counts.byRatesPct, counts.gainByRates, counts.byWallsPct, counts.gainByWalls],
        };
      }),
      nullRow("null: queueing, 1 request each", once),
      nullRow(`null: queueing, ${rounds} requests each`, asRun),
      { label: "null: shared evenly", values: [shared, 1, shared, 1] },
    ],
  };
}

export interface Attribution {
  readonly ollamaPct: number;
  readonly pytorchPct: number;
  /** PyTorch's change less Ollama's: what the study calls the serving stack's share. */
  readonly stackPoints: number;
}

export function attributionByWalls(inputs: KernelProfilingInputs): Attribution {
  const mean = (backend: Backend): number =>
    meanOf(MODELS.map((model) => twoCounts(inputs, backend, model).byWallsPct));
  return attributionOf(mean("ollama"), mean("pytorch"));
}

function attributionOf(ollamaPct: number, pytorchPct: number): Attribution {
  return { ollamaPct, pytorchPct, stackPoints: pytorchPct - ollamaPct };
}

function attribution(inputs: KernelProfilingInputs): CorrectionTable {
  const pooledPct = (backend: Backend): number => {
    const mean = (agents: 1 | 8): number =>
      meanOf(pooled(inputs, backend, agents, "tokS").map((run) => run.value));
    return (mean(8) / mean(1) - 1) * 100;
  };
  const published = attributionOf(pooledPct("ollama"), pooledPct("pytorch"));
  const byWalls = attributionByWalls(inputs);
  const row = (name: string, one: Attribution) => ({
    label: name,
    values: [one.pytorchPct, one.ollamaPct, one.stackPoints],
  });
  return {
    id: "attribution",
    title: "Attribution: what the serving stack is said to add",
    note: "By walls: mean of the two models. The two sides also differ in quantisation (the study gives Q4_0 and FP16) and in how requests wait, so the difference is not the serving stack's alone.",
    columns: [
      { heading: "PyTorch", unit: "percent", decimals: 1 },
      { heading: "Ollama", unit: "percent", decimals: 1 },
      { heading: "stack", unit: "points", decimals: 1 },
    ],
    rows: [row("by rates, as published", published), row("by walls", byWalls)],
  };
}

function impliedTokens(inputs: KernelProfilingInputs): CorrectionTable {
  const cap = inputs.settings.maxNewTokens;
  return {
    id: "implied-tokens",
    title: `Tokens per request that mean rate × mean wall imply (at most ${cap} were allowed)`,
    note: `Over ${cap} is impossible: the mean of the rates is too high by that factor. Rate by walls: ${cap} tokens ÷ mean wall.`,
    columns: [
      { heading: "alone", unit: "plain", decimals: 1 },
      { heading: "N = 8", unit: "plain", decimals: 1 },
      { heading: "published", unit: "tok/s", decimals: 2 },
      { heading: "by walls", unit: "tok/s", decimals: 2 },
    ],
    rows: CONDITIONS.map(([backend, model]) => {
      const counts = twoCounts(inputs, backend, model);
      const published = meanOf(conditionOf(inputs, backend, model, 8).tokS.map((run) => run.value));
      return {
        label: label(backend, model),
        values: [counts.impliedTokensAlone, counts.impliedTokensTogether, published, counts.tokSByWalls],
      };
    }),
  };
}

/** A block of 32 weights: 16 bytes of 4-bit values and a 2-byte scale; with 8-bit values 32 bytes and the scale. */
export const BYTES_PER_PARAM_Q4_0 = (16 + 2) / 32;
export const BYTES_PER_PARAM_Q8_0 = (32 + 2) / 32;

/** Share of peak that one agent alone reads, one read of the weights per token. */
export function aloneSharePct(inputs: KernelProfilingInputs, model: Model, bytesPerParam: number): number {
  const tokS = meanOf(conditionOf(inputs, "ollama", model, 1).tokS.map((run) => run.value));
  return ((modelOf(inputs, model).paramsB.value * bytesPerParam * tokS) / inputs.gpu.peakGbS) * 100;
}

/** Share of peak that all agents together read, one read of the weights per token. */
export function observedSharePct(
  inputs: KernelProfilingInputs,
  backend: Backend,
  model: Model,
  choice: { readonly bytesPerParam?: number; readonly rate: "published" | "by-walls" },
): number {
  const tokS =
    choice.rate === "by-walls"
      ? twoCounts(inputs, backend, model).tokSByWalls
      : meanOf(conditionOf(inputs, backend, model, 8).tokS.map((run) => run.value));
  const bytes = choice.bytesPerParam ?? inputs.bytesPerParam[backend];
  const gbS = modelOf(inputs, model).paramsB.value * bytes * tokS * inputs.settings.agentsTogether;
  return (gbS / inputs.gpu.peakGbS) * 100;
}

function bandwidth(inputs: KernelProfilingInputs): CorrectionTable {
  return {
    id: "bandwidth-share",
    title: `Bandwidth observed at N = ${inputs.settings.agentsTogether}, % of the ${inputs.gpu.peakGbS} GB/s peak`,
    note: "The study's rule for saturation is above 80 %. The last two columns, by walls, take the size a parameter really has in each format, scales included; which of the two Ollama served is in doubt, since its kernel is named with type 8, which is Q8_0. A share above 100 % cannot be: then weights were read for several agents at once, or the format is another.",
    columns: [
      { heading: "published", unit: "percent", decimals: 1 },
      { heading: "by walls", unit: "percent", decimals: 1 },
      { heading: "as Q4_0", unit: "percent", decimals: 1 },
      { heading: "as Q8_0", unit: "percent", decimals: 1 },
    ],
    rows: CONDITIONS.map(([backend, model]) => {
      const share = (choice: Parameters<typeof observedSharePct>[3]): number =>
        observedSharePct(inputs, backend, model, choice);
      const ifOllama = (bytesPerParam: number): number | undefined =>
        backend === "ollama" ? share({ rate: "by-walls", bytesPerParam }) : undefined;
      return {
        label: label(backend, model),
        values: [
          share({ rate: "published" }),
          share({ rate: "by-walls" }),
          ifOllama(BYTES_PER_PARAM_Q4_0),
          ifOllama(BYTES_PER_PARAM_Q8_0),
        ],
      };
    }),
  };
}

/** Of the pooled sum of squares, the part that lies between the two models. */
export function betweenModelsPct(inputs: KernelProfilingInputs, backend: Backend, agents: 1 | 8): number {
  const all = pooled(inputs, backend, agents, "tokS").map((run) => run.value);
  const average = meanOf(all);
  const squares = (values: readonly number[], around: number): number =>
    values.reduce((sum, value) => sum + (value - around) ** 2, 0);
  const within = MODELS.reduce((sum, model) => {
    const runs = conditionOf(inputs, backend, model, agents).tokS.map((run) => run.value);
    return sum + squares(runs, meanOf(runs));
  }, 0);
  return (1 - within / squares(all, average)) * 100;
}

function pooling(inputs: KernelProfilingInputs): CorrectionTable {
  return {
    id: "pooling",
    title: "Pooled tests: the spread they divide by is the difference between two models",
    note: "A t test assumes one population per group, and a rank test that the runs are alike. These groups have two humps, so the pooled p, d and intervals (last column: share of the squares that lies between the models) describe the choice of models and not the repeats; the tests by model stand.",
    columns: [
      { heading: "pooled sd", unit: "tok/s", decimals: 2 },
      { heading: "sd of 1B", unit: "tok/s", decimals: 2 },
      { heading: "sd of 3B", unit: "tok/s", decimals: 2 },
      { heading: "between", unit: "percent", decimals: 1 },
    ],
    rows: BACKENDS.flatMap((backend) =>
      ([1, 8] as const).map((agents) => {
        const sd = (model: Model): number =>
          spreadOf(conditionOf(inputs, backend, model, agents).tokS.map((run) => run.value)).sd;
        return {
          label: `${BACKEND_NAMES[backend]}, N = ${agents}`,
          values: [
            spreadOf(pooled(inputs, backend, agents, "tokS").map((run) => run.value)).sd,
            sd("1b"),
            sd("3b"),
            betweenModelsPct(inputs, backend, agents),
          ],
        };
      }),
    ),
  };
}

function power(published: PublishedFigures): CorrectionTable {
  return {
    id: "power",
    title: "Effects that n per group can find",
    note: "Critical d is the d from which on p < 0.05, which the study calls minimum detectable. An effect of that size is missed half of the time; the last column is found in four of five.",
    columns: [
      { heading: "published", unit: "plain", decimals: 3 },
      { heading: "critical d", unit: "plain", decimals: 3 },
      { heading: "found with 80 %", unit: "plain", decimals: 3 },
    ],
    rows: GROUP_SIZES.map((n) => {
      const effect = detectableEffect(n);
      const known = effect.kind === "known";
      return {
        label: `n = ${n}`,
        values: [
          published(`power.${n}.d`).value,
          known ? effect.criticalD : undefined,
          known ? effect.detectableD : undefined,
        ],
      };
    }),
  };
}
