import { describe, expect, it } from "vitest";
import type { MadeRequest, MadeTrial } from "../../test/fakes/recorded-run.ts";
import { madeEndpoint, madeRun } from "../../test/fakes/recorded-run.ts";
import { analyseRun } from "../analysis/analyse-run.ts";
import type { RunManifest } from "../record/run-manifest.ts";
import { cellsOf } from "../workload/matrix.ts";
import { scenarioSchema } from "../workload/scenario.ts";
import { renderMarkdown } from "./markdown.ts";
import type { ReportModel } from "./model.ts";
import { toReportModel } from "./model.ts";
import { renderTerminal } from "./terminal.ts";

const at = (tokS: number, ttftMs: number, tokens = 128): MadeRequest => ({
  ttftMs,
  tokens,
  decodeMs: ((tokens - 1) * 1_000) / tokS,
});

function block(repeat: number, cell = "chimera_homo", drift = repeat): readonly MadeTrial[] {
  return [
    { kind: "solo", repeat, cell, agents: { collector: [at(114 + drift, 80), at(114, 70 + drift)] } },
    { kind: "solo", repeat, cell, agents: { insight: [at(112, 90), at(113 + drift, 60)] } },
    {
      kind: "together",
      repeat,
      cell,
      agents: {
        collector: [at(56 + drift, 180), at(57, 150)],
        insight: [at(55, 3_900 + drift * 17), at(58, 160, 140)],
      },
      record: { effectiveHash: "same" },
    },
  ];
}

const ENDPOINTS = [
  madeEndpoint("a", { url: "http://localhost:11434", engine: "ollama", model: "gemma3:latest", slots: 1 }),
  madeEndpoint("b", { url: "http://localhost:11435", engine: "ollama", model: "gemma3:latest" }),
];

function modelOf(trials: readonly MadeTrial[], manifest: Partial<RunManifest> = {}): ReportModel {
  return toReportModel(analyseRun(madeRun(trials, { endpoints: ENDPOINTS, ...manifest })), {
    runDirectory: "runs/20260102T030405Z-made-0001",
  });
}

const oneCell = modelOf([0, 1, 2].flatMap((repeat) => block(repeat)));
const twoCells = modelOf(
  [
    "chimera_homo numGpu=60 numCtx=512 temperature=0.8",
    "chimera_homo numGpu=80 numCtx=512 temperature=0.8",
  ].flatMap((cell, index) => [0, 1].flatMap((repeat) => block(repeat, cell, repeat + index))),
);
const plain = (model: ReportModel, columns: number): string =>
  renderTerminal(model, { columns, color: false });

describe("the table at the end of a bench", () => {
  it("fits 80 columns", () => {
    expect(plain(oneCell, 80)).toMatchSnapshot();
  });

  it("shows endpoints and intervals at 120 columns", () => {
    expect(plain(oneCell, 120)).toMatchSnapshot();
  });

  it("is a table of cells for a matrix, with the noise floor of its repeats", () => {
    expect(plain(twoCells, 80)).toMatchSnapshot();
  });

  it("says what is unknown without solo trials, and never prints 0 for it", () => {
    const model = modelOf(
      [0, 1].flatMap((repeat) => block(repeat)).filter((trial) => trial.kind === "together"),
    );
    expect(plain(model, 80)).toMatchSnapshot();
  });

  it("names the cells of a ladder that its figures belong to, and averages nothing over it", () => {
    const rung = (agents: readonly string[], solo = true): readonly MadeTrial[] => {
      const cell = `quick N=${agents.length}`;
      const own = at(100 / agents.length, 80 * agents.length);
      const together = Object.fromEntries(agents.map((agent) => [agent, [own]]));
      return [
        ...(solo
          ? [{ kind: "solo" as const, cell, agents: { a: [at(100, 80)] }, record: { soloFor: agents } }]
          : []),
        { kind: "together", cell, agents: together },
      ];
    };
    const model = modelOf([
      ...rung(["a"], false),
      ...rung(["a", "b"]),
      ...rung(["a", "b", "c"]),
      ...rung(["a", "b", "c", "d"], false),
    ]);
    expect(model.answer.slice(0, 2)).toEqual([
      "4 cells of 1 to 4 agents, 4 together trials: in 2 of 4 cells agents kept 33 % (quick N=3) to 50 % (quick N=2) of their solo speed; together they made 94.8 tok/s.",
      "True speedup in 2 of 4 cells 1.00: the same work took as long together as one agent after the other.",
    ]);
    expect(model.overall).toEqual([]);
    expect(plain(model, 80)).toContain("No averages over all cells: their agent counts differ.");
    expect(renderMarkdown(model)).toContain("No averages over all cells: their agent counts differ.");
  });

  it("draws no verdict from a true speedup whose wall holds pauses", () => {
    // Alone and together: two requests of 1,000 ms, 4,000 ms apart. Nothing is lost, and the wall is 5,000 ms.
    const paced = [0, 4_000].map((atMs) => ({ atMs, ttftMs: 100, tokens: 91, decodeMs: 900 }));
    const model = modelOf([
      { kind: "solo", agents: { a: paced }, record: { soloFor: ["a", "b"] } },
      { kind: "together", agents: { a: paced, b: paced } },
    ]);
    expect(model.answer[0]).toContain("each kept 100 % of its solo speed");
    expect(model.answer[0]).toContain("together 72.8 tok/s, 2.00× one agent's throughput");
    // 4 × 1,000 ÷ 5,000. On the shared device requests take 2,000 ms and start at 0 and 5,000 ms: 4,000 ÷ 7,000.
    // In turn, the second agent's requests end at 2,000 and, due at 5,000, at 6,000 ms: 4,000 ÷ 6,000.
    expect(model.answer[1]).toBe(
      "True speedup 0.80: the agents pause, so the wall holds idle time and this is no verdict on sharing (60 % of their time was outside requests); with the same pauses, ideal devices show 0.57 (shared) and 0.67 (in turn).",
    );
  });

  it("withholds the verdict, with its reason, where the client was too late to stamp", () => {
    const late = { ...at(56, 180), record: { split: { prefillMs: 500, decodeMs: 2_260 } } };
    const model = modelOf([
      { kind: "solo", agents: { a: [at(114, 80)] }, record: { soloFor: ["a", "b"] } },
      { kind: "together", agents: { a: [late], b: [at(56, 180)] } },
    ]);
    expect(model.answer[0]).toContain(
      "What sharing cost is unknown: the client's stamps of 1 request contradict the engine's own times.",
    );
    expect(plain(model, 80)).not.toMatch(/^true speedup/m);
  });

  it("cuts an interval where the figure ends, marks it, and counts trials where it says nothing", () => {
    const text = plain(
      modelOf(
        [100, 10].map((tokS, repeat) => ({
          kind: "together",
          repeat,
          agents: { a: [at(100, 80)], b: [at(tokS, 80)] },
        })),
      ),
      80,
    );
    // Jain's index: 1 for equal rates, and for ten to one (10 + 1)² ÷ (2 × 101) = 0.6.
    expect(text).toMatch(/fairness \(Jain\) +0\.8\d +2 trials/);
    expect(text).toMatch(/wall time of a trial +7\.1 s +\[0\.0 ms … /);
    expect(text).toContain("[ or ]: the interval is cut where the figure cannot be smaller or larger.");
    expect(plain(oneCell, 80)).not.toContain("[ or ]");
  });

  const refused: MadeRequest = {
    ...at(100, 1, 0),
    record: {
      outcome: { kind: "failed", code: "ENDPOINT_REFUSED", message: "refused", afterFirstToken: false },
    },
  };

  it("says first that no request was answered, and gives no figure of it", () => {
    const model = modelOf([{ kind: "together", agents: { a: [refused, refused], b: [refused, refused] } }]);
    expect(model.answer).toEqual(["No request was answered: 4 × ENDPOINT_REFUSED."]);
    expect(model.cells[0]?.figures).toEqual([]);
    expect(plain(model, 80)).toMatchSnapshot();
  });

  it("gives no balance index where an agent got no answer, and keeps what the others measured", () => {
    const model = modelOf([{ kind: "together", agents: { a: [at(100, 80)], b: [refused] } }]);
    expect(model.answer).toHaveLength(1);
    expect(model.cells[0]?.balanceIndex).toBeUndefined();
    expect(model.cells[0]?.aggregateTokS?.mean).toBeCloseTo(94.8, 1);
    expect(model.cells[0]?.figures.map(({ name }) => name)).not.toContain("  while all agents are busy");
  });

  it("names the endpoint of an agent that never sent a request", () => {
    const scenario = scenarioSchema.parse({
      name: "outside",
      endpoints: { a: { url: "http://localhost:11434" } },
      agents: [{ name: "x", command: ["./agent"], endpoint: "a" }],
    });
    const [cell] = cellsOf(scenario);
    const model = modelOf([{ kind: "together", agents: { x: [] }, record: { cellHash: cell?.hash ?? "" } }], {
      spec: { scenario },
    });
    expect(model.answer).toEqual(["No agent sent a request; events.jsonl says why."]);
    expect(model.cells[0]?.agents[0]?.endpoints).toEqual(["a"]);
  });

  it("says that there is nothing when no trial finished", () => {
    expect(plain(modelOf([], { plannedTrials: 3, status: "interrupted" }), 80)).toMatchSnapshot();
  });

  it("never runs over the columns it was given, except where a line is there to be copied", () => {
    const tooLong = [oneCell, twoCells].flatMap((model) =>
      [80, 100, 120].flatMap((columns) =>
        plain(model, columns)
          .split("\n")
          .filter((line) => line.length > columns && !/^(next|run directory): /.test(line)),
      ),
    );
    expect(tooLong).toEqual([]);
  });

  it("cuts long names before it cuts numbers", () => {
    const long = "an-agent-with-a-name-of-sixty-characters-as-the-schema-allows";
    const model = modelOf([{ kind: "together", agents: { [long]: [at(50, 100)], b: [at(50, 100)] } }]);
    const lines = plain(model, 80).split("\n");
    expect(lines.every((line) => line.length <= 80 || line.startsWith("next"))).toBe(true);
    expect(lines.some((line) => line.startsWith("an-agent") && line.includes("…"))).toBe(true);
  });

  it("shows a screen of agents and says where the others are", () => {
    const agents = Object.fromEntries(
      Array.from({ length: 40 }, (_, index) => [`agent-${index}`, [at(50, 100)]]),
    );
    const text = plain(modelOf([{ kind: "together", agents }]), 80);
    expect(text).toContain("agent-15 ");
    expect(text).not.toContain("agent-16 ");
    expect(text).toContain("… and 24 more agents in report.md");
  });

  it("colours only when asked, and colour changes no letter", () => {
    const colored = renderTerminal(oneCell, { columns: 80, color: true });
    const escapes = new RegExp(`${String.fromCharCode(27)}\\[\\d+m`, "g");
    expect(colored).toMatch(escapes);
    expect(colored.replace(escapes, "")).toBe(plain(oneCell, 80));
  });

  it("gives percentiles once the requests carry them", () => {
    const many = Array.from({ length: 12 }, (_, index) => at(50, 100 + index));
    const text = plain(modelOf([{ kind: "together", agents: { a: many } }]), 100);
    // The median of 100 … 111, and what the next percentile needs.
    expect(text).toMatch(/a\s+TTFT\s+12\s+106\s+106\s+– \(n ≥ 64\)/);
  });
});

describe("a simulated run", () => {
  const simulated = modelOf(block(0), { simulated: true });

  it("says so before anything else and again at the end, on the terminal and in report.md", () => {
    expect(plain(simulated, 80).split("\n")[0]).toContain("SIMULATED");
    expect(plain(simulated, 80)).toContain("SIMULATED chimera_homo · 20260102T030405Z-made-0001");
    expect(renderMarkdown(simulated).split("\n").slice(0, 3).join("\n")).toBe(
      "# SIMULATED chimera\\_homo · 20260102T030405Z-made-0001\n\n> **SIMULATED: no real server was measured. The figures describe the simulated engine.**",
    );
  });

  it("is not what a real run says", () => {
    expect(plain(oneCell, 80)).not.toContain("SIMULATED");
    expect(renderMarkdown(oneCell)).not.toContain("SIMULATED");
  });
});

describe("report.md", () => {
  it("has the whole of one cell", () => {
    expect(renderMarkdown(oneCell)).toMatchSnapshot();
  });

  it("has the cells of a matrix, then each of them", () => {
    expect(renderMarkdown(twoCells)).toMatchSnapshot();
  });

  it("does not let a name break its tables", () => {
    const model = modelOf([
      { kind: "together", cell: "a|b <i>", agents: { x: [at(50, 100)] } },
      { kind: "together", cell: "c", agents: { x: [at(50, 100)] } },
    ]);
    expect(renderMarkdown(model)).toContain("| a\\|b \\<i\\> |");
  });
});

it("keeps a name with line breaks, bars and headings inside its cell of report.md", () => {
  const hostile = "a\r\n\n## taken over\n| b |\u001b[31m";
  const trials = block(0, hostile);
  const lines = renderMarkdown(modelOf([...trials, ...block(0, "calm")])).split("\n");
  expect(lines.filter((line) => /^#+ taken over/.test(line))).toEqual([]);
  expect(lines.some((line) => line.includes("## taken over \\| b \\|"))).toBe(true);
  expect(lines.join("")).not.toContain("\u001b");
});

it("counts the trials that are in an average, and names agents as many as they are", () => {
  const failed = { kind: "failed", code: "SERVER_ERROR", message: "down", afterFirstToken: false } as const;
  const alone = (repeat: number, cell: string, ok: boolean): MadeTrial => ({
    kind: "together",
    repeat,
    cell,
    agents: { collector: [{ ...at(56, 180), ...(ok ? {} : { record: { outcome: failed } }) }] },
  });
  const { overallLabel } = modelOf([alone(0, "one", true), alone(1, "one", false), alone(0, "two", true)]);
  expect(overallLabel).toBe("Over 2 of 3 together trials: 2 cells of 1 agent each");
});
