import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseWith } from "../core/yaml.ts";
import { benchmarkSchema, criticalPath, jobSchema, taskGraph } from "./task-graph.ts";
import type { Job } from "./task-graph.ts";

/** `"b: a c"`: task b needs a and c. */
function job(...lines: readonly string[]): Job {
  const tasks = lines.map((line) => {
    const [id = "", needs = ""] = line.split(":");
    return { id, type: "math", needs: needs.split(" ").filter((need) => need !== "") };
  });
  return parseWith(jobSchema, { name: "j", tasks }, "test");
}

describe("task graphs", () => {
  it("put a task into the first layer after all that it needs", () => {
    expect(taskGraph(job("s0", "s1: s0", "s2: s1")).layers).toEqual([[0], [1], [2]]);
    expect(taskGraph(job("code", "math: code", "summary: code")).layers).toEqual([[0], [1, 2]]);
    // A join waits for the longer of its branches, whatever order the file has.
    expect(taskGraph(job("join: long short", "long: first", "first", "short")).layers).toEqual([
      [2, 3],
      [1],
      [0],
    ]);
  });

  it("name the tasks of a circle in the order of their work, and only those", () => {
    expect(() => taskGraph(job("a", "b: a d", "c: b", "d: c", "e: d"))).toThrow(
      expect.objectContaining({ code: "TASK_GRAPH_INVALID", received: "b → c → d → b" }),
    );
    expect(() => taskGraph(job("a: a"))).toThrow(expect.objectContaining({ received: "a → a" }));
  });

  it("name a need that is not there, and an id that is there twice", () => {
    expect(() => taskGraph(job("a", "b: x"))).toThrow(expect.objectContaining({ received: "x" }));
    expect(() => taskGraph(job("a", "b", "a"))).toThrow(expect.objectContaining({ received: "a" }));
  });

  it("of any size within the limit keep every need in an earlier layer", () => {
    const anyGraph = fc.array(fc.array(fc.nat(), { maxLength: 4 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(anyGraph, (drawn) => {
        const lines = drawn.map(
          (needs, place) =>
            `t${place}: ${place === 0 ? "" : needs.map((need) => `t${need % place}`).join(" ")}`,
        );
        const graph = taskGraph(job(...lines));
        const layerOf = new Map(graph.layers.flatMap((layer, at) => layer.map((place) => [place, at])));
        expect(layerOf.size).toBe(lines.length);
        for (const [place, needs] of graph.needs.entries()) {
          const last = Math.max(-1, ...needs.map((need) => layerOf.get(need) as number));
          expect(layerOf.get(place)).toBe(last + 1);
        }
      }),
    );
  });

  it("of a thousand links in a chain need no stack, and of a thousand and one are refused", () => {
    const chain = Array.from({ length: 1000 }, (_, place) =>
      place === 0 ? "t0" : `t${place}: t${place - 1}`,
    );
    expect(taskGraph(job(...chain)).layers).toHaveLength(1000);
    expect(() => job(...chain, "one-more")).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
  });
});

describe("jobs in files", () => {
  it("refuse what is misspelt, and keep what a grader needs to know as it stands", () => {
    const task = {
      id: "s0",
      type: "math",
      grader: { kind: "number", value: 42 },
      prompt: { text: "6 × 7?" },
    };
    const [read] = parseWith(jobSchema, { name: "j", tasks: [task] }, "test").tasks;
    expect(read).toEqual({ ...task, difficulty: "medium", needs: [] });
    expect(() =>
      parseWith(jobSchema, { name: "j", tasks: [{ ...task, dificulty: "easy" }] }, "test"),
    ).toThrow(/dificulty/);
    expect(() => parseWith(jobSchema, { name: "j", tasks: [] }, "test")).toThrow(/tasks/);
  });

  it("have names of their own within a benchmark", () => {
    const jobs = [job("a"), job("a")];
    expect(() => parseWith(benchmarkSchema, { name: "b", jobs }, "test")).toThrow(/each job once/);
  });
});

describe("the critical path", () => {
  const diamond = taskGraph(job("a", "b: a", "c: a", "d: b c"));

  it("is the longest chain through forks and joins", () => {
    expect(criticalPath(diamond, [1, 2, 5, 1])).toEqual({ tasks: [0, 2, 3], seconds: 7 });
    // Of equal branches the one that is named first.
    expect(criticalPath(diamond, [1, 2, 2, 1])).toEqual({ tasks: [0, 1, 3], seconds: 4 });
    expect(criticalPath(taskGraph(job("a", "b")), [3, 4])).toEqual({ tasks: [1], seconds: 4 });
  });

  it("is unknown where a duration is", () => {
    expect(criticalPath(diamond, [1, undefined, 5, 1])).toBeUndefined();
  });
});
