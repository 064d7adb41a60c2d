/** Study 002: what its rates and walls do and do not say. */
import { mannWhitney } from "../../../stats/mann-whitney.ts";
import { queueingNull } from "./queueing-null.ts";
import type { Finding } from "../study-findings.ts";
import { numberText, percentText } from "../words.ts";
import {
  aloneSharePct,
  attributionByWalls,
  betweenModelsPct,
  BYTES_PER_PARAM_Q8_0,
  observedSharePct,
} from "./corrections.ts";
import type { KernelProfilingInputs } from "./inputs.ts";
import { BACKEND_NAMES, BACKENDS, conditionOf, MODELS } from "./inputs.ts";
import { twoCounts } from "./request-walls.ts";

export function timingFindings(inputs: KernelProfilingInputs): readonly Finding[] {
  return [
    meanOfRates(inputs),
    nullIsNotZero(inputs),
    queueingAlone(inputs),
    attributionFinding(inputs),
    saturation(inputs),
    pooledTests(inputs),
    rankTests(inputs),
    serialFraction(inputs),
    quantisation(inputs),
  ];
}

function meanOfRates(inputs: KernelProfilingInputs): Finding {
  const small = twoCounts(inputs, "ollama", "1b");
  const large = twoCounts(inputs, "ollama", "3b");
  const pct = (one: typeof small): string => percentText(-one.byWallsPct);
  return {
    id: "mean-of-rates",
    kind: "interpretation",
    section: "SS2.2, SS5.1",
    says: "Throughput of an agent is tokens over wall time; its tables give the mean of that over requests.",
    shows: `Mean rate × mean wall gives ${numberText(small.impliedTokensTogether, 1)} (1B) and ${numberText(large.impliedTokensTogether, 1)} (3B) tokens per request at N = 8, where at most ${inputs.settings.maxNewTokens} were allowed. Counted as tokens over time Ollama loses ${pct(small)} and ${pct(large)}, not ${percentText(-small.byRatesPct)} and ${percentText(-large.byRatesPct)}; its apparent gain falls from ${numberText(small.gainByRates, 2)}× to ${numberText(small.gainByWalls, 2)}× (1B).`,
  };
}

function nullIsNotZero({ settings }: KernelProfilingInputs): Finding {
  const agents = settings.agentsTogether;
  return {
    id: "null-not-zero",
    kind: "interpretation",
    section: "SS7",
    says: "A loss of 82 to 87 % per agent is a collapse that needs a cause.",
    shows: `${agents} agents on one device that is already busy with one keep 1/${agents} each: ${percentText((1 / agents - 1) * 100)} is what no fault at all looks like, and all four conditions lost less.`,
  };
}

function queueingAlone(inputs: KernelProfilingInputs): Finding {
  const { agentsTogether: agents, requestsPerAgentTogether: rounds } = inputs.settings;
  const plain = queueingNull(agents, rounds);
  const small = twoCounts(inputs, "ollama", "1b");
  return {
    id: "queueing-null",
    kind: "interpretation",
    section: "SS5.4",
    says: "Walls grow six-fold and not eight-fold, because some work of one request overlaps with another's.",
    shows: `With ${rounds} requests per agent, serving strictly one at a time already gives a mean wall of ${numberText(agents / plain.gainByWalls, 2)} × (the first round waits ${numberText((agents + 1) / 2, 1)} × on average) and, by the published count, ${percentText(plain.degradationByRatesPct)} and a gain of ${numberText(plain.gainByRates, 2)}×. Ollama's ${percentText(small.byRatesPct)} and ${numberText(small.gainByRates, 2)}× are no better than that; by walls it gains ${numberText(small.gainByWalls, 2)}× where plain queueing gains ${numberText(plain.gainByWalls, 2)}×.`,
  };
}

function attributionFinding(inputs: KernelProfilingInputs): Finding {
  const walls = attributionByWalls(inputs);
  return {
    id: "attribution-walls",
    kind: "interpretation",
    section: "SS7.5, SS15.4",
    says: "The GPU takes 86.4 % and the serving stack gives 4.3 points back.",
    shows: `By wall times the two sides lose ${percentText(-walls.pytorchPct)} and ${percentText(-walls.ollamaPct)}: the difference is ${numberText(walls.stackPoints, 1)} points.`,
  };
}

function saturation(inputs: KernelProfilingInputs): Finding {
  const shares = BACKENDS.flatMap((backend) =>
    MODELS.map((model) => observedSharePct(inputs, backend, model, { rate: "published" })),
  );
  const asQ8 = (model: "1b" | "3b"): string =>
    percentText(
      observedSharePct(inputs, "ollama", model, { rate: "by-walls", bytesPerParam: BYTES_PER_PARAM_Q8_0 }),
      0,
    );
  const alone = percentText(aloneSharePct(inputs, "3b", BYTES_PER_PARAM_Q8_0), 0);
  return {
    id: "bandwidth-not-saturated",
    kind: "contradiction",
    section: "SS1.5, SS10.4, SS15.2",
    says: "Saturation is confirmed above 80 % of peak at N = 8; it is partially confirmed, since eight agents need 178 to 344 %.",
    shows: `What was observed is ${numberText(Math.min(...shares), 0)} to ${percentText(Math.max(...shares), 0)} of peak. The larger figures are what eight agents would need without any loss: a reason why the loss must come, and no measurement. By its own rule the hypothesis is not confirmed. Were the weights Q8_0, as the kernel's name says, the shares by walls would be ${asQ8("1b")} (1B) and ${asQ8("3b")} (3B): then the larger model does come near the peak, but with ${alone} for one agent alone it had no room to begin with.`,
  };
}

function pooledTests(inputs: KernelProfilingInputs): Finding {
  const parts = BACKENDS.flatMap((backend) =>
    ([1, 8] as const).map((agents) => betweenModelsPct(inputs, backend, agents)),
  );
  return {
    id: "pooled-models",
    kind: "assumption",
    section: "SS5.3, SS7.1, SS8.2, SS10.2",
    says: "Welch, Mann–Whitney, d and intervals over both models of a backend together.",
    shows: `${percentText(Math.min(...parts))} to ${percentText(Math.max(...parts), 2)} of each pooled group's sum of squares lies between the two models: two humps, not one population, so these tests' assumptions are broken. Paired by model nothing changes in direction; the sizes (d about 4 pooled, 81 to 298 by model) say which spread was divided by.`,
  };
}

function rankTests(inputs: KernelProfilingInputs): Finding {
  const values = (model: "1b" | "3b", agents: 1 | 8): number[] =>
    conditionOf(inputs, "pytorch", model, agents).tokS.map((run) => run.value);
  const large = mannWhitney(values("3b", 1), values("3b", 8));
  const ollama = mannWhitney([3, 4, 5], [0, 1, 2]);
  const p = (test: typeof large): string => (test.kind === "tested" ? numberText(test.smallestP, 2) : "–");
  return {
    id: "rank-tests-by-model",
    kind: "assumption",
    section: "appendix C",
    says: "Every significant Welch result is confirmed by Mann–Whitney.",
    shows: `Only the pooled ones are. By model three runs against three cannot go below p = ${p(ollama)}, and two against two not below ${p(large)}: there Mann–Whitney can confirm nothing.`,
  };
}

function serialFraction(inputs: KernelProfilingInputs): Finding {
  const { amdahl, settings } = inputs;
  const agents = settings.agentsTogether;
  const drop = (s: number): number => (1 - 1 / (agents * s + 1 - s)) * 100;
  const kept = (amdahl.retainedLowPct.value + amdahl.retainedHighPct.value) / 2 / 100;
  const fraction = (1 / kept - 1) / (agents - 1);
  return {
    id: "serial-fraction",
    kind: "contradiction",
    section: "abstract, SS1.1",
    says: "An earlier study of the series found a drop of 63 % at eight agents, serial fractions of 0.39 to 0.54, and 16 to 17 % kept.",
    shows: `These are three different results: serial fractions of 0.39 to 0.54 mean a drop of ${percentText(drop(amdahl.serialFractionLow.value), 0)} to ${percentText(drop(amdahl.serialFractionHigh.value), 0)} at N = ${agents}, and 16.5 % kept is a drop of ${percentText((1 - kept) * 100)} and a serial fraction of ${numberText(fraction, 2)}.`,
  };
}

function quantisation({ bytesPerParam, models }: KernelProfilingInputs): Finding {
  const size = bytesPerParam.pytorch / bytesPerParam.ollama;
  const names = `${BACKEND_NAMES.ollama} and ${BACKEND_NAMES.pytorch}`;
  return {
    id: "different-quantisation",
    kind: "interpretation",
    section: "SS1.2, SS18.1",
    says: "Quantisation touches the rates, not the ratio that the attribution uses.",
    shows: `${names} read ${size}-fold different weights (${models.length} models, both sides), run other kernels and queue differently. A difference of a few points between them cannot be given to any one of these.`,
  };
}
