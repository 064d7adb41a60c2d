/** The frame of a study file: where it comes from, its inputs, and the figures it derived from them. */
import { z } from "zod";
import { printedNumber } from "./printed-number.ts";

/** The studies that ship, in the order they were made. */
export const STUDY_NAMES = [
  "concurrent-agents",
  "dual-instance",
  "kernel-profiling",
  "capacity-spike",
  "swarm-router",
] as const;
export type StudyName = (typeof STUDY_NAMES)[number];

/** Raised when a field changes its meaning. */
const STUDY_FORMAT_VERSION = 1;

const publishedTable = z.strictObject({
  id: z.string(),
  title: z.string(),
  /** Where in the study the figures stand. */
  section: z.string(),
  columns: z.array(z.strictObject({ id: z.string(), heading: z.string() })),
  rows: z.array(
    z.strictObject({ id: z.string(), label: z.string(), printed: z.record(z.string(), printedNumber) }),
  ),
});

/** Every figure has the id `table.row.column`. */
export const studyDocument = z.strictObject({
  formatVersion: z.literal(STUDY_FORMAT_VERSION),
  name: z.enum(STUDY_NAMES),
  title: z.string(),
  /** Name and date of the report the figures were taken from. */
  source: z.string(),
  asked: z.string(),
  inputs: z.unknown(),
  published: z.array(publishedTable),
});

export type StudyDocument = z.output<typeof studyDocument>;
