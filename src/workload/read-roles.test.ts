import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseWith } from "../core/yaml.ts";
import { readRole, shippedRoles } from "./read-roles.ts";
import { resolveRoles } from "./resolve-roles.ts";
import { scenarioSchema } from "./scenario.ts";

interface GoldenRole {
  readonly cadence_s: number;
  readonly max_tokens: number;
  readonly tool_tokens: number;
  readonly thinking: boolean;
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "slipway-roles-"));
  writeFileSync(join(folder, "mine.yaml"), "name: Mine\nmaxOutputTokens: 12\n");
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("the roles that ship", () => {
  it("are the profiles of the capacity study, number for number", () => {
    const golden = JSON.parse(readFileSync("test/fixtures/golden/capacity-spike.json", "utf8")) as {
      readonly roles: Readonly<Record<string, GoldenRole>>;
    };
    const shipped = shippedRoles().map((role) => [
      role.name,
      {
        cadence_s: "everyMs" in role.cadence ? role.cadence.everyMs / 1000 : undefined,
        max_tokens: role.maxOutputTokens,
        tool_tokens: role.toolResultTokens,
        thinking: role.thinking,
      },
    ]);
    expect(Object.fromEntries(shipped)).toEqual(golden.roles);
  });

  it("are found in whatever case", () => {
    expect(readRole("toolstorm", folder).name).toBe("ToolStorm");
    expect(readRole("qa", folder).name).toBe("QA");
  });

  it("are listed where one is asked for that is none of them", () => {
    expect(() => readRole("Tester", folder)).toThrowError(
      expect.objectContaining({
        code: "ROLE_UNKNOWN",
        received: "Tester",
        nextStep: expect.stringContaining("Dev, QA, Research, TL, ToolStorm") as string,
      }) as Error,
    );
  });
});

describe("a role of one's own", () => {
  const scenario = (agent: object, more: object = {}) =>
    parseWith(
      scenarioSchema,
      {
        name: "s",
        endpoints: { a: { url: "http://localhost:1" } },
        agents: [{ name: "one", endpoint: "a", ...agent }],
        ...more,
      },
      "test",
    );
  const resolved = (agent: object, more: object = {}) =>
    resolveRoles(scenario(agent, more), (role) => readRole(role, folder));

  it("is a file by its path, taken from the scenario's folder, and is kept with all its fields", () => {
    expect(resolved({ role: "./mine.yaml" }).agents[0]?.role).toMatchObject({
      name: "Mine",
      maxOutputTokens: 12,
      messageTokens: 64,
      conversation: { kind: "fresh" },
    });
    expect(() => resolved({ role: "./none.yaml" })).toThrowError(
      expect.objectContaining({ code: "FILE_NOT_FOUND" }) as Error,
    );
  });

  it("may be written out, and a field that breaks its rule is named", () => {
    expect(resolved({ role: { name: "Own", maxOutputTokens: 5 } }).agents[0]?.role).toMatchObject({
      name: "Own",
    });
    expect(() => scenario({ role: { name: "Own", maxOutputTokens: "many" } })).toThrowError(
      /agents\.0\.role\.maxOutputTokens/,
    );
  });

  it("is refused beside a program, and beside what the role says itself", () => {
    expect(() => scenario({ role: "Dev", program: "synthetic" })).toThrowError(/exactly one of program/);
    expect(() => scenario({ role: "Dev", outputTokens: 5 })).toThrowError(/agents\.0\.outputTokens/);
    expect(() => scenario({ role: "Dev", cadence: { everyMs: 5 } })).toThrowError(/agents\.0\.cadence/);
  });

  it("with images is refused, since they would be left out of what is sent", () => {
    const role = { name: "Seer", maxOutputTokens: 5, images: { perTurn: 1 } };
    expect(() => scenario({ role })).toThrowError(/images/);
  });

  it("cannot be chosen by a matrix, which may change its fields", () => {
    expect(() => resolved({ role: "Dev" }, { matrix: { "agents.one.role": ["Dev", "QA"] } })).toThrowError(
      /cannot choose a role/,
    );
    expect(() =>
      resolved({ role: "Dev" }, { matrix: { "agents.one.role.maxOutputTokens": [10, 20] } }),
    ).not.toThrow();
  });

  it("has a set time, and an agent that ends by itself has not", () => {
    expect(scenario({ role: "Dev" }, { durationMs: 1000 }).durationMs).toBe(1000);
    expect(() => scenario({ program: "collector" }, { durationMs: 1000 })).toThrowError(/cannot go on/);
    expect(() => scenario({ role: "Dev" }, { stop: { halfWidthPct: 5 } })).toThrowError(/durationMs/);
    const stop = (subWindowMs: number) => ({ durationMs: 1100, stop: { halfWidthPct: 5, subWindowMs } });
    expect(scenario({ role: "Dev" }, stop(100)).stop).toEqual({ halfWidthPct: 5, subWindowMs: 100 });
    expect(() => scenario({ role: "Dev" }, stop(101))).toThrowError(/stop\.subWindowMs/);
  });
});
