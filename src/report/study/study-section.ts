/** A study checked against itself, as a section: the answer, what it should be read against, what does not follow, its tables. */
import type { CheckedFigure, CheckedTable, StudyCheck } from "../../analysis/studies/check-study.ts";
import type { CorrectionTable, Finding, FindingKind } from "../../analysis/studies/study-findings.ts";
import type { Section, SectionBlock, SectionColumn } from "../section/section.ts";
import { heading, lead, left, list, note, plain, right, table } from "../section/section.ts";
import {
  besideText,
  correctionText,
  headingOf,
  markedText,
  printedText,
  reproducedText,
} from "./figure-cell.ts";

/** `marked`: the printed number, and ours only where they differ. `both`: the two side by side. */
export type StudyCells = "marked" | "both";

export function studySection(check: StudyCheck, cells: StudyCells): Section {
  return {
    id: check.name,
    title: `Study ${check.name}`,
    simulated: false,
    blocks: [
      lead(answer(check)),
      plain(check.meaning),
      note(`${check.title}. Source: ${check.source}. It asked: ${check.asked}`),
      heading("What it should be read against"),
      ...check.corrections.flatMap(correctionBlocks),
      ...differing(check),
      ...findingBlocks(check.findings),
      heading("Its tables"),
      note(LEGEND[cells]),
      ...check.tables.flatMap((one) => tableBlocks(one, cells)),
    ],
  };
}

const LEGEND: Readonly<Record<StudyCells, string>> = {
  marked:
    "A bare number follows from the inputs. ≈ it does within the rounding of the inputs. ∈ the inputs bound it, and it lies within. ≠ it does not follow; what does stands after the sign.",
  both: "Printed, then what the inputs give. = they agree to the printed digits. ≈ they do within the rounding of the inputs. ∈ the inputs bound it, and it lies within. ≠ it does not follow.",
};

function answer({ counts, findings }: StudyCheck): string {
  const all = counts.reproduced + counts["within-rounding"] + counts.possible + counts.differs;
  const parts = [
    `${counts.reproduced} reproduce from the inputs`,
    ...(counts["within-rounding"] > 0
      ? [`${counts["within-rounding"]} more within the rounding of the inputs`]
      : []),
    ...(counts.possible > 0 ? [`${counts.possible} can only be bounded, and lie within`] : []),
    `${counts.differs} do not follow`,
  ];
  return `${all} printed figures were checked: ${parts.join(", ")}. ${findings.length} statements do not hold, or not as they are read.`;
}

function correctionBlocks({ title, note: text, columns, rows }: CorrectionTable): readonly SectionBlock[] {
  return [
    ...table(
      title,
      [left(""), ...columns.map((column) => right(headingOf(column)))],
      rows.map((row) => [
        row.label,
        ...columns.map((column, index) => correctionText(row.values[index], column)),
      ]),
    ),
    note(text),
  ];
}

interface PlacedFigure {
  readonly place: string;
  readonly figure: CheckedFigure;
}

function differing({ tables }: StudyCheck): readonly SectionBlock[] {
  const figures = tables.flatMap(placedFigures).filter(({ figure }) => figure.agreement === "differs");
  return [
    heading("Figures that do not follow"),
    ...table(
      "",
      [left("figure"), right("published"), right("from the inputs"), left("why")],
      figures.map(({ place, figure }) => [
        place,
        printedText(figure.published),
        reproducedText(figure),
        figure.reason ?? "",
      ]),
    ),
  ];
}

function placedFigures({ title, columns, rows }: CheckedTable): readonly PlacedFigure[] {
  const several = columns.length > 1;
  return rows.flatMap((row) =>
    columns.flatMap(({ id, heading: name }) => {
      const figure = row.figures[id];
      if (figure === undefined) return [];
      return [{ place: `${shortTitle(title)}: ${row.label}${several ? `, ${name}` : ""}`, figure }];
    }),
  );
}

/** Up to its first comma or colon a title says which table it is. */
function shortTitle(title: string): string {
  return title.split(/[,:]/)[0] ?? title;
}

const KIND_TITLES: readonly (readonly [FindingKind, string])[] = [
  ["contradiction", "Statements that its own numbers contradict"],
  ["interpretation", "Numbers that mean something else than is concluded"],
  ["assumption", "Tests whose assumptions fail"],
  ["inference", "Likely, and not provable from what is printed"],
];

function findingBlocks(findings: readonly Finding[]): readonly SectionBlock[] {
  return KIND_TITLES.flatMap(([kind, title]) => {
    const ofKind = findings.filter((finding) => finding.kind === kind);
    if (ofKind.length === 0) return [];
    return [
      heading(title),
      ...list(ofKind.map(({ section, says, shows }) => `${says} (${section}) → ${shows}`)),
    ];
  });
}

function tableBlocks(
  { title, section, columns, rows }: CheckedTable,
  cells: StudyCells,
): readonly SectionBlock[] {
  const headings: readonly SectionColumn[] = [left(""), ...columns.map((column) => right(column.heading))];
  const text = cells === "both" ? besideText : markedText;
  return table(
    `${title} (${section})`,
    headings,
    rows.map((row) => [row.label, ...columns.map(({ id }) => text(row.figures[id]))]),
  );
}
