import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readYamlFile } from "../core/yaml.ts";
import type { CapacityStudy } from "./capacity-study.ts";
import { capacityScenario, capacityStudySchema } from "./capacity-study.ts";
import { cellsOf } from "./matrix.ts";
import { readRole } from "./read-roles.ts";

const read = (role: string) => readRole(role, "examples/capacity");
const study = (file: string): CapacityStudy =>
  readYamlFile(capacityStudySchema, `examples/capacity/${file}.yaml`);
/** Beside them lies the folder of a sweep that was run. */
const STUDIES = readdirSync("examples/capacity")
  .filter((file) => file.endsWith(".yaml"))
  .map((file) => file.replace(".yaml", ""));
const endpoint = { url: "http://localhost:8080" };

describe("the capacity studies that ship", () => {
  it.each(STUDIES)("%s is named after its file, and each configuration is a scenario of one cell", (file) => {
    const given = study(file);
    expect(given.name).toBe(file);
    for (const configuration of given.configurations) {
      const scenario = capacityScenario(given, configuration, endpoint, read);
      expect(cellsOf(scenario).map((cell) => cell.label)).toEqual([configuration.name]);
      expect(scenario).toMatchObject({
        durationMs: given.durationMs,
        solo: false,
        prompts: "per-repeat",
      });
    }
  });

  it("give each agent a slot of its own, so that what is measured is not a queue", () => {
    for (const file of STUDIES) {
      const given = study(file);
      for (const one of given.configurations)
        expect(capacityScenario(given, one, endpoint, read).agents.length, one.name).toBeLessThanOrEqual(
          one.slots,
        );
    }
  });

  it("have as many agents as the study's rows had, in its order", () => {
    const spike = study("capacity-spike");
    const agents = spike.configurations.map(
      (one) => capacityScenario(spike, one, endpoint, read).agents.length,
    );
    expect(agents).toEqual([1, 3, 3, 5, 5, 3, 3, 3, 3]);
  });

  it("ask with the same prompts at every context: agents and seed do not depend on it", () => {
    const given = study("context-or-residency");
    const [first, ...others] = given.configurations.map((one) => {
      const { agents, seed } = capacityScenario(given, one, endpoint, read);
      return { agents, seed };
    });
    for (const other of others) expect(other).toEqual(first);
  });

  it("refuse a configuration's name that stands there twice", () => {
    const one = { name: "a", slots: 1, contextTokensPerSlot: 1024, mix: "TL" };
    const given = { name: "s", question: "?", configurations: [one, one] };
    expect(capacityStudySchema.safeParse(given).error?.issues[0]?.path).toEqual([
      "configurations",
      1,
      "name",
    ]);
  });
});
