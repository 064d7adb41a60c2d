/**
 * The words of a gate: `ttftMsP95<+5%,decodeTps>-3%`. A clause says how far a metric may move, as a
 * share of A (with %) or in the metric's own unit; the sign is required, since `<500` would read as
 * a level and a gate is about change.
 *
 *     gate   = clause { "," clause }
 *     clause = metric ( "<" | ">" ) ( "+" | "-" | "−" ) number [ "%" ]
 *
 * A figure that is a percentage itself takes points: `failurePct<+1%` would be read both ways.
 */
import { OperatorError } from "../core/errors.ts";
import type { MetricName } from "./compare/metric.ts";
import { isMetricName, METRIC_NAMES, metricOf } from "./compare/metric.ts";
import type { Change } from "./compare/samples.ts";

export interface GateClause {
  /** As it was written, spaces left out. */
  readonly text: string;
  readonly metric: MetricName;
  /** The side of the bound that is allowed. */
  readonly allowed: "below" | "above";
  readonly bound: Change;
}

/** Throws FLAG_INVALID with the place of the first character, or the first clause, that does not belong. */
export function parseGate(text: string): readonly GateClause[] {
  const reader = new GateReader(text);
  const clauses = [reader.clause()];
  while (reader.comma()) clauses.push(reader.clause());
  refuseRepeated(clauses, text);
  return clauses;
}

/** Two bounds on one side of one metric: one of them is a slip, and each makes the correction stricter. */
function refuseRepeated(clauses: readonly GateClause[], text: string): void {
  for (const [index, clause] of clauses.entries()) {
    const earlier = clauses
      .slice(0, index)
      .find(({ metric, allowed }) => metric === clause.metric && allowed === clause.allowed);
    if (earlier !== undefined)
      throw new OperatorError("FLAG_INVALID", {
        message: `--gate bounds ${clause.metric} twice on the same side: ${earlier.text} and ${clause.text}`,
        received: text,
        nextStep: "leave one of them out",
      });
  }
}

/** A share below −100 % is no change that a figure above 0 can make. */
const MOST_PERCENT_LOST = 100;

class GateReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  clause(): GateClause {
    this.#skipSpaces();
    const start = this.#at;
    const metric = this.#metric();
    const allowed = this.#take(/[<>]/y, "< or > after the metric") === "<" ? "below" : "above";
    this.#skipSpaces();
    const sign = this.#take(/[+\-−]/y, "a sign: a bound is a change, such as +5% or -3%");
    const numberAt = this.#at;
    const digits = this.#take(/\d+(?:\.\d+)?/y, "a number");
    const size = (sign === "+" ? 1 : -1) * Number(digits);
    const percentAt = this.#at;
    const percent = this.#optional(/%/y);
    if (percent && metricOf(metric).unit === "percent")
      throw this.#error(percentAt, `no % sign: ${metric} is a percentage, and its bound is in points`);
    if (percent && size <= -MOST_PERCENT_LOST)
      throw this.#error(numberAt, "a loss of less than 100 %; nothing can fall further");
    const text = this.#text.slice(start, this.#at).replaceAll(/\s/g, "");
    this.#skipSpaces();
    if (this.#at < this.#text.length && this.#text[this.#at] !== ",")
      throw this.#error(this.#at, "a comma or the end");
    return {
      text,
      metric,
      allowed,
      bound: percent ? { kind: "relative", share: size / 100 } : { kind: "absolute", amount: size },
    };
  }

  comma(): boolean {
    return this.#optional(/,/y);
  }

  #metric(): MetricName {
    const at = this.#at;
    const name = this.#take(/[A-Za-z][A-Za-z0-9]*/y, `a metric (${METRIC_NAMES.join(", ")})`);
    if (!isMetricName(name)) throw this.#error(at, `a metric (${METRIC_NAMES.join(", ")})`, name);
    this.#skipSpaces();
    return name;
  }

  #take(pattern: RegExp, expected: string): string {
    pattern.lastIndex = this.#at;
    const [found] = pattern.exec(this.#text) ?? [];
    if (found === undefined) throw this.#error(this.#at, expected);
    this.#at += found.length;
    return found;
  }

  #optional(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    this.#at += found?.[0].length ?? 0;
    return found !== null;
  }

  #skipSpaces(): void {
    this.#optional(/\s*/y);
  }

  #error(at: number, expected: string, word = this.#text.slice(at, at + 1)): OperatorError {
    const found = at < this.#text.length ? `"${word}"` : "the end";
    return new OperatorError("FLAG_INVALID", {
      message: `--gate, at character ${at + 1}: expected ${expected}, found ${found}`,
      received: this.#text,
      nextStep: "write for example --gate 'ttftMsP95<+5%,decodeTps>-3%'",
    });
  }
}
