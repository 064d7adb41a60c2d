/** Ladders of agents as a section: which law holds and where it ends first, then the levels. */
import type { FittedLaw, FittedValue } from "../../analysis/scaling/fit-laws.ts";
import type { LawName } from "../../analysis/scaling/laws.ts";
import type { LadderScaling, ScalingLevel } from "../../analysis/scaling/scaling.ts";
import { UNKNOWN } from "../../core/units.ts";
import { figureText, intervalText, withUnit } from "../section/figure-text.ts";
import type { Section, SectionBlock } from "../section/section.ts";
import { heading, lead, left, list, note, plain, right, table } from "../section/section.ts";

/** `undefined` where no cells differ in N alone. */
export function scalingSection(ladders: readonly LadderScaling[], simulated: boolean): Section | undefined {
  if (ladders.length === 0) return undefined;
  return {
    id: "scaling",
    title: "Scaling",
    simulated,
    blocks: [
      ...ladders.flatMap((ladder) => [
        ...(ladders.length > 1 ? [heading(ladder.name)] : []),
        ...ladderBlocks(ladder),
      ]),
      note(MEANING),
    ],
  };
}

const MEANING =
  "gain: throughput of N ÷ of one. shared, in turn: the gain of the same requests on an ideal device that divides itself evenly, and on one that serves one at a time. Karp–Flatt: the serial share that a gain implies; when it grows with N the loss is overhead and no serial part. Intervals: bootstrap over trials.";

function ladderBlocks(ladder: LadderScaling): readonly SectionBlock[] {
  return [
    lead(choiceSentence(ladder)),
    ...list([...peakSentences(ladder), kneeSentence(ladder)]),
    ...levelTable(ladder.levels),
    ...lawTable(ladder),
  ];
}

const LAW_TEXT: Readonly<Record<LawName, string>> = {
  saturated: "saturated (one agent fills the device)",
  linear: "linear (every agent gets the speed of one)",
  amdahl: "Amdahl's law",
  gustafson: "Gustafson's law",
  slots: "Amdahl's law up to the slots, and queueing beyond them",
  usl: "the universal scalability law",
};

function choiceSentence({ choice, levels, name }: LadderScaling): string {
  const last = levels.at(-1);
  const reach = `${name}, ${levels[0]?.agents} to ${last?.agents} agents${last?.gain === undefined ? "" : `: ${figureText(last.gain)}× the throughput of one`}.`;
  switch (choice.kind) {
    case "too-few-levels":
      return `${reach} ${choice.levels} levels of N say nothing about a law; it takes ${choice.needed}.`;
    case "too-few-trials":
      return `${reach} ${choice.trials} trials do not tell the laws apart; it takes ${choice.needed} at least.`;
    case "none":
      return `${reach} None of the laws describes it${choice.nearest === undefined ? "" : `: the nearest, ${LAW_TEXT[choice.nearest.law]}, is off by ${percent(choice.nearest.worstShare)} at one level`}.`;
    case "supported": {
      const [first, ...others] = choice.laws;
      const best = first === undefined ? "" : LAW_TEXT[first];
      return others.length === 0
        ? `${reach} The data support ${best}.`
        : `${reach} The data support ${best}; they do not tell it from ${others.map((law) => LAW_TEXT[law]).join(" or ")}.`;
    }
  }
}

function peakSentences({ laws, levels, choice }: LadderScaling): readonly string[] {
  const usl = laws.find(({ law }) => law === "usl");
  // A peak of a law that another describes better is a property of the curve and not of the server.
  if (usl === undefined || choice.kind !== "supported" || !choice.laws.includes("usl")) return [];
  const kappa = usl.parameters.find(({ name }) => name === "κ");
  if (usl.peakAgents === undefined || kappa === undefined || kappa.value <= 0 || kappa.spansZero)
    return ["No number of agents is seen beyond which throughput falls: the interval of κ holds 0."];
  const { value } = usl.peakAgents;
  const beyond = value > (levels.at(-1)?.agents ?? 0) ? ", which is beyond what was measured" : "";
  const cautious = choice.laws.length > 1 ? "By the universal scalability law throughput" : "Throughput";
  return [`${cautious} is largest at N* = ${figureText(value)}${ofInterval(usl.peakAgents)}${beyond}.`];
}

function kneeSentence({ knee, measuredKneeAgents }: LadderScaling): string {
  // Half of the throughput of less than one agent is no number of agents.
  const measured =
    measuredKneeAgents === undefined || measuredKneeAgents < 1
      ? ""
      : ` Amdahl's curve through the measurements has its own at ${figureText(measuredKneeAgents)}.`;
  if (knee.kind === "unknown") return `Roofline knee unknown: ${knee.reason}.${measured}`;
  return `Roofline knee of ${knee.model}: W ÷ (k·C) = ${gigabytes(knee.weightBytes)} ÷ (${figureText(knee.kvBytesPerToken)} bytes × ${figureText(knee.contextTokens)} tokens) = ${figureText(knee.agents)} agents, from where on the cache costs more than the weights.${measured}`;
}

function levelTable(levels: readonly ScalingLevel[]): readonly SectionBlock[] {
  return table(
    "",
    [
      right("N"),
      right("trials"),
      right("tok/s"),
      right("gain"),
      right("shared"),
      right("in turn"),
      right("kept"),
      right("1/N"),
      right("Karp–Flatt"),
      right("95 % CI"),
    ],
    levels.map((level) => [
      level.basis === "solo" ? `${level.agents} (solo)` : String(level.agents),
      String(level.tokS.n),
      figureText(level.tokS.mean),
      times(level.gain),
      times(level.idealSharedGain),
      times(level.idealOneAtATimeGain),
      wholePercent(level.retention),
      wholePercent(level.equalShare),
      level.karpFlatt === undefined
        ? UNKNOWN
        : `${share(level.karpFlatt.value)}${level.karpFlatt.spansZero ? "*" : ""}`,
      level.karpFlatt?.interval === undefined
        ? UNKNOWN
        : `${share(level.karpFlatt.interval.low)} … ${share(level.karpFlatt.interval.high)}`,
    ]),
  );
}

const STANDING_TEXT: Readonly<Record<FittedLaw["standing"], string>> = {
  fits: "",
  off: "does not fit",
  meaningless: "a share below 0",
};

function lawTable({ laws, choice }: LadderScaling): readonly SectionBlock[] {
  if (laws.length === 0) return [];
  const supported = choice.kind === "supported" ? choice.laws : [];
  return [
    ...table(
      "Laws, best supported first (AICc)",
      [left("law"), left("parameters"), right("AICc"), right("off by at most"), left("")],
      [...laws]
        .sort((one, other) => (one.akaike ?? Infinity) - (other.akaike ?? Infinity))
        .map((law) => [
          law.law,
          parametersText(law),
          law.akaike === undefined ? UNKNOWN : minus(law.akaike.toFixed(1)),
          percent(law.worstShare),
          supported.includes(law.law) ? "supported" : STANDING_TEXT[law.standing],
        ]),
    ),
    ...(laws.some((law) => law.parameters.some(({ spansZero }) => spansZero))
      ? [plain("* the interval holds 0: the data do not show that there is such an effect.")]
      : []),
  ];
}

function parametersText({ parameters, oneTokS }: FittedLaw): string {
  return [
    `λ ${withUnit(oneTokS.value, "tok/s")}`,
    ...parameters.map((value) => `${value.name} ${marked(value)}${ofInterval(value)}`),
  ].join(", ");
}

function marked({ value, spansZero }: FittedValue): string {
  return `${figureText(value)}${spansZero ? "*" : ""}`;
}

function ofInterval({ interval }: FittedValue): string {
  return interval === undefined ? "" : ` (${intervalText(interval)})`;
}

function times(value: number | undefined): string {
  return value === undefined ? UNKNOWN : `${value.toFixed(2)}×`;
}

function share(value: number): string {
  return minus(value.toFixed(3));
}

function wholePercent(share: number | undefined): string {
  return share === undefined ? UNKNOWN : `${(share * 100).toFixed(0)} %`;
}

function percent(share: number | undefined): string {
  return share === undefined ? UNKNOWN : `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`;
}

function minus(text: string): string {
  return text.replace(/^-/, "−");
}

function gigabytes(bytes: number): string {
  return `${figureText(bytes / 1e9)} GB`;
}
