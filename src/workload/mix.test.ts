import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAX_AGENTS } from "../core/limits.ts";
import { mixAgents, parseMix } from "./mix.ts";
import type { Role } from "./role.ts";
import { roleSchema } from "./role.ts";

const read = (name: string): Role => roleSchema.parse({ name, maxOutputTokens: 10 });

describe("a mix of roles", () => {
  it("has one agent for each role, called after it", () => {
    expect(mixAgents("TL,Dev,QA", read).map(({ name, role }) => [name, role.name])).toEqual([
      ["TL", "TL"],
      ["Dev", "Dev"],
      ["QA", "QA"],
    ]);
  });

  it("numbers the agents of a role that it has more than once, wherever they stand", () => {
    expect(mixAgents("2xDev, TL , Dev", read).map(({ name }) => name)).toEqual([
      "Dev-1",
      "Dev-2",
      "TL",
      "Dev-3",
    ]);
  });

  it("takes a file by its path as a role", () => {
    expect(parseMix("3x./roles/my.yaml,TL")).toEqual([
      { role: "./roles/my.yaml", count: 3 },
      { role: "TL", count: 1 },
    ]);
  });

  it.each(["", "TL,", ",TL", "0xDev", "99999999999999999999xDev"])("refuses %j", (text) => {
    expect(() => parseMix(text)).toThrowError(expect.objectContaining({ code: "MIX_INVALID" }) as Error);
  });

  it("refuses more agents than can run, before it makes any", () => {
    expect(parseMix(`${MAX_AGENTS}xDev`)).toHaveLength(1);
    expect(() => mixAgents(`${MAX_AGENTS}xDev,TL`, read)).toThrowError(/10001 agents; at most 10000/);
  });

  it("has as many agents as its counts add up to, and no name twice", () => {
    const part = fc.tuple(fc.integer({ min: 1, max: 9 }), fc.constantFrom("TL", "Dev", "QA"));
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 6 }), (parts) => {
        const agents = mixAgents(parts.map(([count, role]) => `${count}x${role}`).join(","), read);
        expect(agents).toHaveLength(parts.reduce((sum, [count]) => sum + count, 0));
        expect(new Set(agents.map(({ name }) => name)).size).toBe(agents.length);
      }),
    );
  });
});
