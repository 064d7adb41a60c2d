/** A study held against itself: each printed figure beside what its inputs give. */
import { assert } from "../../core/assert.ts";
import { capacitySpike } from "./capacity-spike/study.ts";
import { concurrentAgents } from "./concurrent-agents/study.ts";
import { dualInstance } from "./dual-instance/study.ts";
import { kernelProfiling } from "./kernel-profiling/study.ts";
import type { PrintedNumber } from "./printed-number.ts";
import type { Agreement, Reproduction } from "./reproduce.ts";
import { agreement } from "./reproduce.ts";
import type { StudyDocument, StudyName } from "./study-document.ts";
import type { CorrectionTable, Finding, PublishedFigures, StudyResults } from "./study-findings.ts";
import { swarmRouter } from "./swarm-router/study.ts";

export interface CheckedFigure {
  readonly id: string;
  readonly published: PrintedNumber;
  readonly reproduction: Reproduction;
  readonly agreement: Agreement;
  /** Why it differs, or what limits the check. */
  readonly reason?: string;
}

export interface CheckedTable {
  readonly id: string;
  readonly title: string;
  readonly section: string;
  readonly columns: readonly { readonly id: string; readonly heading: string }[];
  readonly rows: readonly {
    readonly id: string;
    readonly label: string;
    /** By column id; a column that the study leaves empty is absent. */
    readonly figures: Readonly<Record<string, CheckedFigure>>;
  }[];
}

export interface StudyCheck {
  readonly name: StudyName;
  readonly title: string;
  readonly source: string;
  readonly asked: string;
  readonly counts: Readonly<Record<Agreement, number>>;
  readonly meaning: string;
  readonly corrections: readonly CorrectionTable[];
  readonly findings: readonly Finding[];
  readonly tables: readonly CheckedTable[];
}

const STUDIES: Readonly<Record<StudyName, (inputs: unknown, published: PublishedFigures) => StudyResults>> = {
  "concurrent-agents": concurrentAgents,
  "dual-instance": dualInstance,
  "kernel-profiling": kernelProfiling,
  "capacity-spike": capacitySpike,
  "swarm-router": swarmRouter,
};

/** Pure: the same document gives the same check. A figure without a formula stops the process, so none goes unchecked. */
export function checkStudy(document: StudyDocument): StudyCheck {
  const printed = new Map<string, PrintedNumber>(
    document.published.flatMap((table) =>
      table.rows.flatMap((row) =>
        Object.entries(row.printed).map(
          ([column, value]) => [`${table.id}.${row.id}.${column}`, value] as const,
        ),
      ),
    ),
  );
  const results = STUDIES[document.name](document.inputs, (id) => {
    const value = printed.get(id);
    assert(value !== undefined, `${document.name} prints no figure ${id}`);
    return value;
  });
  const tables = document.published.map((table) => ({
    ...table,
    rows: table.rows.map((row) => ({
      id: row.id,
      label: row.label,
      figures: Object.fromEntries(
        Object.entries(row.printed).map(([column, value]) => [
          column,
          checkedFigure(`${table.id}.${row.id}.${column}`, value, results),
        ]),
      ),
    })),
  }));
  for (const id of results.figures.keys())
    assert(printed.has(id), `${document.name} computes ${id}, which the study does not print`);
  const counts = { reproduced: 0, "within-rounding": 0, possible: 0, differs: 0 };
  for (const figure of figuresOf(tables)) counts[figure.agreement]++;
  const { name, title, source, asked } = document;
  const { meaning, corrections, findings } = results;
  return { name, title, source, asked, counts, meaning, corrections, findings, tables };
}

export function figuresOf(tables: readonly CheckedTable[]): readonly CheckedFigure[] {
  return tables.flatMap((table) => table.rows.flatMap((row) => Object.values(row.figures)));
}

function checkedFigure(id: string, published: PrintedNumber, results: StudyResults): CheckedFigure {
  const reproduction = results.figures.get(id);
  assert(reproduction !== undefined, `nothing computes ${id}`);
  const found = agreement(published, reproduction);
  const reason = results.reasons.get(id);
  assert((found === "differs") === (reason !== undefined), `${id}: ${found}, reason: ${reason ?? "none"}`);
  return { id, published, reproduction, agreement: found, ...(reason === undefined ? {} : { reason }) };
}
