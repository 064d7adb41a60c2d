import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson, runId, specHash } from "./ids.ts";
import { randomStream } from "./random.ts";

describe("specHash", () => {
  it("does not depend on the order in which an object was built", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const reversed = Object.fromEntries(Object.entries(value).reverse());
        expect(specHash(reversed)).toBe(specHash(value));
      }),
    );
  });

  it("takes an absent field and an undefined one for the same, and order of lists for different", () => {
    expect(canonicalJson({ b: 1, a: undefined })).toBe('{"b":1}');
    expect(specHash([1, 2])).not.toBe(specHash([2, 1]));
  });
});

describe("runId", () => {
  it("begins with the time, so that runs sort by age, and is safe as a folder name", () => {
    const id = runId("2026-11-20T10:53:12.345Z", "my team/α", randomStream(1, "id"));
    expect(id).toMatch(/^20261120T105312Z-my_team_-[0-9a-f]{4}$/);
  });
});
