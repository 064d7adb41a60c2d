/** The shipped study files hold the same numbers as the figures that were taken from the documents before. */
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { readGolden, readStudy } from "../../../test/fakes/study-files.ts";
import { capacitySpikeInputs } from "./capacity-spike/inputs.ts";
import { dualInstanceInputs } from "./dual-instance/inputs.ts";
import { kernelProfilingInputs } from "./kernel-profiling/inputs.ts";
import type { StudyName } from "./study-document.ts";
import { swarmRouterInputs } from "./swarm-router/inputs.ts";

const values = (list: readonly { readonly value: number }[]): readonly number[] =>
  list.map((one) => one.value);

function printed(name: StudyName, id: string): number | undefined {
  const [table, row, column = ""] = id.split(".");
  const found = readStudy(name).published.find((one) => one.id === table);
  return found?.rows.find((one) => one.id === row)?.printed[column]?.value;
}

const perModel = z.record(z.string(), z.record(z.string(), z.array(z.number())));
const perBackend = z.record(z.string(), perModel);

describe("kernel-profiling", () => {
  const golden = z
    .looseObject({
      tps: perBackend,
      wall_ms: perBackend,
      kernels: perBackend,
      gpu_time_ms: perBackend,
      published: z.looseObject({
        descriptive: z.record(
          z.string(),
          z.looseObject({ mean: z.number(), std: z.number(), cv_pct: z.number(), ci95: z.array(z.number()) }),
        ),
        degradation_per_model: z.record(
          z.string(),
          z.looseObject({ pct: z.number(), p: z.number(), d: z.number() }),
        ),
        min_detectable_d: z.record(z.string(), z.number()),
      }),
    })
    .parse(readGolden("kernel-profiling"));
  const { conditions } = kernelProfilingInputs.parse(readStudy("kernel-profiling").inputs);

  it("has every run of every condition", () => {
    for (const { backend, model, agents, tokS, wallMs, kernels, gpuTimeMs } of conditions) {
      const of = (quantity: z.output<typeof perBackend>) =>
        quantity[backend]?.[`llama3.2-${model}`]?.[agents];
      expect(values(tokS)).toEqual(of(golden.tps));
      expect(values(wallMs)).toEqual(of(golden.wall_ms));
      expect(values(kernels)).toEqual(of(golden.kernels));
      expect(values(gpuTimeMs)).toEqual(of(golden.gpu_time_ms));
    }
    expect(conditions).toHaveLength(8);
  });

  it("prints the same descriptive, degradation and power tables", () => {
    for (const [key, row] of Object.entries(golden.published.descriptive)) {
      const id = `throughput.${key.replace("llama3.2-", "").replaceAll("/", "-")}`;
      expect(
        ["mean", "sd", "cv", "low", "high"].map((column) => printed("kernel-profiling", `${id}.${column}`)),
      ).toEqual([row.mean, row.std, row.cv_pct, ...row.ci95]);
    }
    for (const [key, row] of Object.entries(golden.published.degradation_per_model)) {
      const id = `degradation.${key.replace("/llama3.2-", "-")}`;
      expect(["pct", "p", "d"].map((column) => printed("kernel-profiling", `${id}.${column}`))).toEqual([
        row.pct,
        row.p,
        row.d,
      ]);
    }
    for (const [n, d] of Object.entries(golden.published.min_detectable_d))
      expect(printed("kernel-profiling", `power.${n}.d`)).toBe(d);
  });
});

describe("dual-instance", () => {
  const row = z.looseObject({
    test: z.string(),
    avg_speedup: z.number().optional(),
    avg_efficiency_pct: z.number(),
    peak_efficiency_pct: z.number(),
  });
  const golden = z
    .looseObject({
      baseline_vs_chimera: z.array(row),
      chimera_hetero: z.array(row),
      chimera_homo_published_subset: z.array(row),
      within_config_sd_pp: z.record(z.string(), z.number()),
    })
    .parse(readGolden("dual-instance-study"));
  const inputs = dualInstanceInputs.parse(readStudy("dual-instance").inputs);

  it("has every configuration that was printed", () => {
    const all = [
      ...golden.baseline_vs_chimera,
      ...golden.chimera_hetero,
      ...golden.chimera_homo_published_subset,
    ];
    expect(
      inputs.configurations.map((one) => [
        one.test,
        one.averageSpeedup?.value,
        one.averageEfficiencyPct.value,
        one.peakEfficiencyPct.value,
      ]),
    ).toEqual(all.map((one) => [one.test, one.avg_speedup, one.avg_efficiency_pct, one.peak_efficiency_pct]));
    expect(values(Object.values(inputs.withinConfigurationSdPoints))).toEqual(
      Object.values(golden.within_config_sd_pp),
    );
  });
});

describe("capacity-spike and swarm-router", () => {
  it("have every row that was printed", () => {
    const golden = z
      .looseObject({
        phase1_vram: z.array(
          z.looseObject({ slots: z.int(), slot_ctx: z.int(), used_mib: z.int(), free_mib: z.int() }),
        ),
        phase2: z.array(
          z.looseObject({
            id: z.string(),
            aggregate_tps: z.number(),
            per_call_tps: z.number(),
            free_mib: z.int(),
          }),
        ),
      })
      .parse(readGolden("capacity-spike"));
    const inputs = capacitySpikeInputs.parse(readStudy("capacity-spike").inputs);
    expect(inputs.ceiling.map((one) => [one.slots, one.slotCells, one.usedMib, one.freeMib])).toEqual(
      golden.phase1_vram.map((one) => [one.slots, one.slot_ctx, one.used_mib, one.free_mib]),
    );
    expect(
      inputs.workloads.map((one) => [one.id, one.aggregateTokS.value, one.perCallTokS.value, one.freeMib]),
    ).toEqual(golden.phase2.map((one) => [one.id, one.aggregate_tps, one.per_call_tps, one.free_mib]));
  });

  it("have every run that was printed", () => {
    const golden = z
      .looseObject({
        runs: z.array(z.looseObject({ id: z.string(), lp_score: z.number(), llm_score: z.number() })),
      })
      .parse(readGolden("swarm-router"));
    const inputs = swarmRouterInputs.parse(readStudy("swarm-router").inputs);
    expect(inputs.runs.map((one) => [one.id, one.lpScorePct.value, one.llmScorePct.value])).toEqual(
      golden.runs.map((one) => [one.id, one.lp_score, one.llm_score]),
    );
  });
});
