/** A file of hypotheses held against a book of figures: three verdicts where a study published one. */
import { holm } from "../../stats/holm.ts";
import type { Ruling } from "./decide.ts";
import { ruling } from "./decide.ts";
import type { FigureBook } from "./figure-book.ts";
import type { Hypothesis, HypothesisFile } from "./hypothesis-file.ts";
import type { Evidence } from "./measure.ts";
import { measureEvidence } from "./measure.ts";

export interface HypothesisVerdicts {
  readonly id: string;
  readonly kind: Hypothesis["kind"];
  readonly statement: string;
  readonly scope: string;
  readonly published: Hypothesis["published"];
  /** The study's rule applied to the study's figures. */
  readonly byStudyRule: Ruling | undefined;
  readonly ours: Ruling;
  readonly evidence: readonly Evidence[];
  readonly threats: readonly string[];
  readonly wouldSettle: string;
}

export interface VerdictReport {
  readonly title: string;
  readonly about: string;
  readonly simulated: boolean;
  readonly confidence: number;
  /** Tests in the file, which Holm's correction takes as one family; how many have a p. */
  readonly family: { readonly tests: number; readonly tested: number };
  readonly verdicts: readonly HypothesisVerdicts[];
}

/** Throws FIGURE_UNKNOWN where a measure names a figure that the book does not have. */
export function judge(file: HypothesisFile, book: FigureBook): VerdictReport {
  const measured = file.hypotheses.map((hypothesis) =>
    hypothesis.measures.map((measure) =>
      measureEvidence(measure, book, file.confidence, `${hypothesis.id}, measure ${measure.id},`),
    ),
  );
  const corrected = correctedFamily(measured.flat(), 1 - file.confidence);
  let next = 0;
  const verdicts = file.hypotheses.map((hypothesis) => {
    const evidence = corrected.slice(next, next + hypothesis.measures.length);
    next += hypothesis.measures.length;
    return verdictsOf(hypothesis, evidence, book);
  });
  const tests = [...familyOf(corrected).values()];
  return {
    title: file.title,
    about: book.about,
    simulated: book.simulated,
    confidence: file.confidence,
    family: { tests: tests.length, tested: tests.filter((one) => one.test?.kind === "tested").length },
    verdicts,
  };
}

/** A test that several hypotheses rest on is one test of the family. */
function familyOf(evidence: readonly Evidence[]): ReadonlyMap<string, Evidence> {
  return new Map(evidence.filter((one) => one.test !== undefined).map((one) => [testKey(one), one]));
}

function testKey({ numerator, denominator, test }: Evidence): string {
  return JSON.stringify([numerator?.label, denominator?.label, test?.kind === "tested" ? test.name : ""]);
}

function correctedFamily(evidence: readonly Evidence[], alpha: number): readonly Evidence[] {
  const family = familyOf(evidence);
  const results = holm(
    [...family.values()].map(({ test }) => (test?.kind === "tested" ? test.p : undefined)),
    alpha,
  );
  const resultOf = new Map([...family.keys()].map((key, place) => [key, results[place]]));
  return evidence.map((one) => {
    const result = resultOf.get(testKey(one));
    if (one.test?.kind !== "tested" || result?.kind !== "adjusted") return one;
    return {
      ...one,
      test: { ...one.test, adjustedP: result.adjustedP, significant: result.rejected },
    };
  });
}

function verdictsOf(
  hypothesis: Hypothesis,
  evidence: readonly Evidence[],
  book: FigureBook,
): HypothesisVerdicts {
  const byId = new Map(evidence.map((one) => [one.id, one]));
  const { id, kind, statement, scope, published, studyRule, rule, threats, wouldSettle } = hypothesis;
  const ours = ruling(rule, byId);
  return {
    id,
    kind,
    statement,
    scope,
    published,
    byStudyRule: studyRule === undefined ? undefined : ruling(studyRule, byId),
    ours,
    evidence,
    threats: [...threats, ...seenThreats(evidence, book)],
    wouldSettle: ours.verdict === "unknown" ? settling(evidence, wouldSettle) : wouldSettle,
  };
}

/** What the author asks for comes second: no number of runs gives a value that is withheld. */
function settling(evidence: readonly Evidence[], wouldSettle: string): string {
  const first = evidence.find((one) => one.settledBy !== undefined)?.settledBy;
  return first === undefined ? wouldSettle : `${first}; then ${wouldSettle}`;
}

/** What the data themselves show to be weak, beside what the file's author knows. */
function seenThreats(evidence: readonly Evidence[], book: FigureBook): readonly string[] {
  const sides = evidence
    .flatMap((one) => [one.numerator, one.denominator])
    .filter((one) => one !== undefined);
  const pooled = sides.find((side) => side.pooled > 1);
  const repeated = sides.map((side) => side.n).filter((n) => n > 0);
  const fewest = Math.min(...repeated);
  return [
    ...(book.simulated ? ["SIMULATED: the figures describe the simulated engine"] : []),
    ...(pooled === undefined
      ? []
      : [`${pooled.label} pools ${pooled.pooled} figures: their distance enters the variance of the test`]),
    ...(repeated.length > 0 && fewest < FEW_REPEATS
      ? [
          `only ${fewest} value${fewest === 1 ? "" : "s"} on one side: the interval rests on ${fewest - 1} degree${fewest === 2 ? "" : "s"} of freedom`,
        ]
      : []),
  ];
}

/** Below five values Student's factor is above 2.7, and one odd trial decides the interval. */
const FEW_REPEATS = 5;
