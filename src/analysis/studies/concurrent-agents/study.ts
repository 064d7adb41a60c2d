/** Study 000 from its inputs alone. */
import { z } from "zod";
import { RecomputedFigures } from "../recomputed-figures.ts";
import { printedNumber } from "../printed-number.ts";
import { meanOf } from "../sample-figures.ts";
import type { CorrectionTable, Finding, StudyResults } from "../study-findings.ts";
import { numberText, percentText } from "../words.ts";

const scenario = z.strictObject({
  id: z.string(),
  name: z.string(),
  speedup: printedNumber,
  efficiencyPct: printedNumber,
  wallS: printedNumber,
  /** Second agent less first: the opposite of the later study. */
  throughputDelta: printedNumber,
  ttftDeltaMs: printedNumber,
  tokS: z.tuple([printedNumber, printedNumber]),
  ttftMs: z.tuple([printedNumber, printedNumber]),
  contentionRuns: z.int(),
});

const concurrentAgentsInputs = z.strictObject({
  runsPerScenario: z.int(),
  agents: z.int(),
  scenarios: z.array(scenario),
  /** Of the agents whose settings were chosen; the baseline has the engine's own. */
  configurations: z.array(
    z.strictObject({ id: z.string(), numGpu: z.int(), numCtx: z.int(), temperature: z.number() }),
  ),
  targets: z.strictObject({ speedupAbove: z.number(), efficiencyPctAbove: z.number(), contention: z.int() }),
  memoryPerInstanceGb: z.number(),
  cardGb: z.number(),
});
type Inputs = z.output<typeof concurrentAgentsInputs>;

export function concurrentAgents(given: unknown): StudyResults {
  const inputs = concurrentAgentsInputs.parse(given);
  const book = new RecomputedFigures();
  scenarioFigures(book, inputs);
  totalFigures(book, inputs);
  return {
    figures: book.figures,
    reasons: new Map([
      ["ttft-table.baseline_vs_chimera.delta", "−167.68 cut off instead of rounded"],
      ["ttft-table.chimera_hetero.delta", "−125.52 cut off instead of rounded"],
    ]),
    findings: findings(inputs),
    corrections: [corrections(inputs)],
    meaning:
      "The figures agree with each other. What they measure is how evenly two agents finish, from three runs without a spread: whether running together gains anything is unknown, for no agent was measured alone.",
  };
}

function scenarioFigures(book: RecomputedFigures, { scenarios, agents }: Inputs): void {
  const ranked = scenarios.toSorted((a, b) => b.efficiencyPct.value - a.efficiencyPct.value);
  const secondLessFirst = (first = 0, second = 0): number => second - first;
  for (const one of scenarios) {
    const id = `scenarios.${one.id}`;
    book.from(`${id}.efficiency`, [one.speedup], (speedup = 0) => (speedup / agents) * 100);
    book.from(`${id}.throughput-delta`, one.tokS, secondLessFirst);
    book.from(`${id}.ttft-delta`, one.ttftMs, secondLessFirst);
    book.put(`${id}.average`, { rates: one.tokS }, ({ rates }) => meanOf(rates));
    book.exactly(`${id}.rank`, ranked.indexOf(one) + 1);
    book.from(`ttft-table.${one.id}.delta`, [one.ttftDeltaMs], (delta = 0) => delta);
  }
}

function totalFigures(book: RecomputedFigures, { scenarios, targets, runsPerScenario }: Inputs): void {
  for (const [row, quantity] of [
    ["speedup", "speedup"],
    ["efficiency", "efficiencyPct"],
  ] as const) {
    const all = scenarios.map((one) => one[quantity]);
    book.from(`range.${row}.low`, all, (...values) => Math.min(...values));
    book.from(`range.${row}.high`, all, (...values) => Math.max(...values));
  }
  book.exactly("totals.executions.value", scenarios.length * runsPerScenario);
  const met = (meets: (one: Inputs["scenarios"][number]) => boolean): number =>
    scenarios.filter(meets).length;
  book.exactly(
    "totals.contention.value",
    scenarios.reduce((sum, one) => sum + one.contentionRuns, 0),
  );
  book.exactly(
    "targets.speedup.met",
    met((one) => one.speedup.value > targets.speedupAbove),
  );
  book.exactly(
    "targets.efficiency.met",
    met((one) => one.efficiencyPct.value > targets.efficiencyPctAbove),
  );
  book.exactly(
    "targets.contention.met",
    met((one) => one.contentionRuns === targets.contention),
  );
}

function corrections({ scenarios }: Inputs): CorrectionTable {
  return {
    id: "balance-index",
    title: "What the published speedup orders, and what was faster",
    note: "Σ of the agents' own times ÷ wall is 1 + (shorter ÷ longer time) when both start together: a balance index. Shorter: the shorter agent's time in per cent of the longer one's. True: speedup against the same work alone. No agent was measured alone, so it is unknown. The wall of the second scenario is an estimate of the study.",
    columns: [
      { heading: "published", unit: "times", decimals: 2 },
      { heading: "shorter", unit: "percent", decimals: 0 },
      { heading: "wall", unit: "s", decimals: 2 },
      { heading: "together", unit: "tok/s", decimals: 2 },
      { heading: "true", unit: "times", decimals: 2 },
    ],
    rows: scenarios.map((one) => ({
      label: one.name,
      values: [
        one.speedup.value,
        (one.speedup.value - 1) * 100,
        one.wallS.value,
        one.tokS[0].value + one.tokS[1].value,
        undefined,
      ],
    })),
  };
}

function findings(inputs: Inputs): readonly Finding[] {
  const { scenarios, agents } = inputs;
  const speedups = scenarios.map((one) => one.speedup.value);
  const least = scenarios.reduce((a, b) => (b.efficiencyPct.value < a.efficiencyPct.value ? b : a));
  const best = scenarios.reduce((a, b) => (b.efficiencyPct.value > a.efficiencyPct.value ? b : a));
  const rate = (one: typeof least): number => one.tokS[0].value + one.tokS[1].value;
  return [
    {
      id: "below-two",
      kind: "contradiction",
      section: "hypothesis validation",
      says: "That concurrent execution stays under 2× is false: 1.87 to 1.98× was achieved.",
      shows: `${numberText(Math.min(...speedups), 2)} to ${numberText(Math.max(...speedups), 2)} are all under ${agents}: the statement is true. By this formula it can never be false, for each agent's time is at most the wall.`,
    },
    {
      id: "no-spread",
      kind: "assumption",
      section: "test scenarios",
      says: `Scenarios are ranked by averages of ${inputs.runsPerScenario} runs.`,
      shows: `No value of a run and no deviation is printed, so nothing says whether ${best.efficiencyPct.text} and ${least.efficiencyPct.text} % differ by more than runs of one scenario do. The later study's repeats of one setting spread over 0.2 to 1.5 points with five runs each, and over 7.2 with one contended run among them. Both hypotheses about configurations are unknown.`,
    },
    {
      id: "order-contradicts",
      kind: "contradiction",
      section: "key findings, efficiency ranking",
      says: "Efficiency orders homogeneous > heterogeneous > baseline.",
      shows: `Its ranking is the opposite at both ends: ${best.name} ${best.efficiencyPct.text} %, ${least.name} last with ${least.efficiencyPct.text} %.`,
    },
    {
      id: "balance-index",
      kind: "interpretation",
      section: "concurrent execution characteristics",
      says: "Near-ideal speedup of 1.87 to 1.98×.",
      shows: `The index says that the shorter agent took ${percentText((Math.min(...speedups) - 1) * 100, 0)} to ${percentText((Math.max(...speedups) - 1) * 100, 0)} of the longer one's time. The scenario it ranks last has the shortest wall (${least.wallS.text} s) and the highest rate (${numberText(rate(least), 1)} tok/s).`,
    },
    {
      id: "memory-per-instance",
      kind: "contradiction",
      section: "deployment guidelines",
      says: `${inputs.memoryPerInstanceGb} GB of VRAM per instance, two instances, tested on one card.`,
      shows: `The card has ${inputs.cardGb} GB: two instances would need ${agents * inputs.memoryPerInstanceGb} GB. What one instance used was not measured.`,
    },
    {
      id: "second-agent-first",
      kind: "inference",
      section: "TTFT analysis",
      says: "The second instance always answers sooner: models load differently on the two ports.",
      shows: `In all ${scenarios.length} scenarios the second agent's first token comes ${scenarios.map((one) => numberText(-one.ttftDeltaMs.value, 0)).join(", ")} ms earlier, whatever the settings. The order of agents was never exchanged, so position and configuration cannot be told apart.`,
    },
  ];
}
