import { expect, it } from "vitest";
import { defined } from "../../core/assert.ts";
import { readYamlFile } from "../../core/yaml.ts";
import type { FigureBook } from "../verdict/figure-book.ts";
import { costOf } from "./cost.ts";
import { costFileSchema } from "./cost-file.ts";

const example = (name: string): string =>
  new URL(`../../../examples/costs/${name}`, import.meta.url).pathname;

const NO_FIGURES: FigureBook = { about: "nothing", simulated: false, figures: new Map() };

/** 12 s an execution, three trials. */
const TWELVE_SECONDS: FigureBook = {
  about: "run made",
  simulated: false,
  figures: new Map([["overall/wallMs", { value: 12_000, values: [11_000, 12_000, 13_000], source: "made" }]]),
};

it("reproduces section 8 of study 001", () => {
  const report = costOf(readYamlFile(costFileSchema, example("dual-instance-study.yaml")), NO_FIGURES);
  expect(
    report.options.map(({ name, perMonth, operatingPerYear, total }) => [
      name,
      perMonth,
      operatingPerYear,
      total,
    ]),
  ).toEqual([
    ["python", 400, 9_000, 67_000],
    ["rust", 200, 5_000, 58_000],
    ["hybrid", 185, 5_520, 68_600],
  ]);
  expect(report.options.map((one) => one.total)).toEqual(report.options.map((one) => one.published?.total));
});

it("breaks even when extra development is saved: 33 months, 65.5 where 65 is printed, and never", () => {
  const report = costOf(readYamlFile(costFileSchema, example("dual-instance-study.yaml")), NO_FIGURES);
  const of = (option: string, against: string) =>
    defined(
      report.breakEvens.find((one) => one.option === option && one.against === against),
      `${option} against ${against}`,
    );
  expect(of("rust", "python")).toMatchObject({
    extraOnce: 11_000,
    savedPerYear: 4_000,
    outcome: { kind: "after", months: 33 },
  });
  // 19,000 ÷ (3,480 ÷ 12) = 65.517
  expect(of("hybrid", "python").outcome).toEqual({ kind: "after", months: expect.closeTo(65.517, 3) });
  expect(of("hybrid", "rust")).toMatchObject({
    extraOnce: 8_000,
    savedPerYear: -520,
    outcome: { kind: "never" },
  });
});

it("counts instances by time and by memory", () => {
  const report = costOf(readYamlFile(costFileSchema, example("my-gpu.yaml")), TWELVE_SECONDS);
  const apart = defined(report.options[1], "the second option");
  // 100,000 × 12 s = 1.2e9 ms of 2,629.8e6 × 0.7; 8 agents of 250 MiB in 2048 MiB, so 16 take two.
  expect(apart.instances.map((one) => one.count)).toEqual([1, 2]);
  expect(apart.perMonth).toBe(374);
  expect(apart.perMillion).toBeCloseTo(3_740, 9);
  expect(apart.perThousand).toBeCloseTo(3.74, 9);
});

it("knows no cost where the time of an execution is not known, and refuses a misspelt figure", () => {
  const file = readYamlFile(costFileSchema, example("my-gpu.yaml"));
  const unknown = new Map([["overall/wallMs", { value: undefined, values: [], source: "no trial" }]]);
  const report = costOf(file, { ...NO_FIGURES, figures: unknown });
  expect(report.options[0]).toMatchObject({ perMonth: undefined, total: undefined });
  expect(report.breakEvens[0]?.outcome).toEqual({ kind: "unknown" });
  expect(() => costOf(file, NO_FIGURES)).toThrow("names a figure that nothing does not have");
});

it("refuses a baseline that is no option, and two options of one name", () => {
  const option = { name: "one", instances: [{ name: "host", count: 1, pricePerMonth: 10 }] };
  const file = {
    version: 1,
    title: "made",
    executionsPerMonth: 1,
    baseline: "none",
    options: [option, option],
  };
  const issues = costFileSchema.safeParse(file).error?.issues.map((issue) => issue.message);
  expect(issues).toEqual(["two options have one name", "none is none of the options one, one"]);
});
