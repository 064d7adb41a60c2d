import { expect, it } from "vitest";
import { madeRun, steadyRequest } from "../../test/fakes/recorded-run.ts";
import { requestProblem } from "./parse-line.ts";

const [record] = madeRun([{ kind: "together", agents: { a: [steadyRequest(3, 100)] } }]).requests;

it("takes discarded counts as words, or absent", () => {
  expect(requestProblem(record)).toBeUndefined();
  expect(requestProblem({ ...record, discardedCounts: "output 900 (at most 16)" })).toBeUndefined();
  expect(requestProblem({ ...record, discardedCounts: 900 })).toBe("discardedCounts must be a text");
});
