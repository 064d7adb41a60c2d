/** The rules are held to snippets that break them: a rule that sees nothing would pass for ever. */
import { describe, expect, it } from "vitest";
import {
  arrowComplaints,
  cycleComplaints,
  deadFileComplaints,
  readArrowTable,
  tableComplaints,
} from "./arrows.ts";
import {
  errorPageComplaints,
  flagComplaints,
  knownOf,
  linkComplaints,
  machinePathComplaints,
  referenceComplaints,
  titleComplaints,
} from "./document-rules.ts";
import {
  bannedCallComplaints,
  exportComplaints,
  fileBudgetComplaints,
  functionBudgetComplaints,
  leftoverComplaints,
  nameComplaints,
  skipComplaints,
} from "./source-rules.ts";
import type { Complaint, ProjectFile } from "./source-tree.ts";
import { renderComplaint } from "./source-tree.ts";

const TABLE = `
| room | may import | state | what |
|---|---|---|---|
| \`core\` | nothing | built | the edge |
| \`record\` | \`core\` | built | rows |
| \`predict\` | \`core\` | built | models |
| \`engines\` | \`core\` \`record\` | built | servers |
| \`engines/simulated\` | \`core\` \`record\` \`predict\` | built | the simulated one |
| \`gateway\` | \`engines\` | planned | later |
| \`cli\` | everything | built | wiring |
`;
const rooms = readArrowTable(TABLE);

function file(path: string, ...lines: string[]): ProjectFile {
  return { path, text: `${lines.join("\n")}\n` };
}

function lines(complaints: readonly Complaint[]): string {
  return complaints.map(renderComplaint).join("\n");
}

describe("arrows", () => {
  const arrows = (path: string, ...text: string[]): string =>
    lines(arrowComplaints(rooms, [file(path, ...text)]));

  it("refuses an import against the table, type-only and dynamic ones too", () => {
    const bad = arrows(
      "src/record/row.ts",
      'import { a } from "../engines/a.ts";',
      'import type { B } from "../predict/b.ts";',
      'export const later = import("../cli/c.ts");',
      'export type D = import("../engines/d.ts").D;',
    );
    expect(bad).toMatchInlineSnapshot(`
      "src/record/row.ts:1 arrow: record may import core, not engines; take the piece as a parameter, or change the table by a decision record
      src/record/row.ts:2 arrow: record may import core, not predict; take the piece as a parameter, or change the table by a decision record
      src/record/row.ts:3 arrow: record may import core, not cli; take the piece as a parameter, or change the table by a decision record
      src/record/row.ts:4 arrow: record may import core, not engines; take the piece as a parameter, or change the table by a decision record"
    `);
  });

  it("lets a room inside a room import what its own row says", () => {
    const same = 'import { p } from "../../predict/p.ts";';
    expect(arrows("src/engines/simulated/server.ts", same)).toBe("");
    expect(arrows("src/engines/openai/decoder.ts", same)).toMatchInlineSnapshot(
      `"src/engines/openai/decoder.ts:1 arrow: engines may import core, record, not predict; take the piece as a parameter, or change the table by a decision record"`,
    );
  });

  it("lets wiring import everything, and nothing import a test or a test helper", () => {
    expect(arrows("src/cli/main.ts", 'import { s } from "../engines/simulated/server.ts";')).toBe("");
    const bad = arrows(
      "src/cli/main.ts",
      'import { fake } from "../../test/fakes/fake.ts";',
      'import { x } from "../core/clock.test.ts";',
    );
    expect(bad).toMatchInlineSnapshot(`
      "src/cli/main.ts:1 arrow: test/fakes/fake.ts is no part of the product; move what is needed into src
      src/cli/main.ts:2 arrow: src/core/clock.test.ts is a test; move what is shared into test/fakes"
    `);
  });

  it("lets a test use what its room rests on at any depth, and test helpers", () => {
    expect(
      arrows(
        "src/engines/engine.test.ts",
        'import { fake } from "../../test/fakes/fake.ts";',
        'import { now } from "../core/clock.ts";',
      ),
    ).toBe("");
    expect(arrows("src/record/row.test.ts", 'import { e } from "../engines/e.ts";')).toMatchInlineSnapshot(
      `"src/record/row.test.ts:1 arrow: a test in record may use what record rests on, and engines is not; move the test to test/e2e"`,
    );
  });

  it("holds the table to the folders and refuses a circle of rooms", () => {
    const circular = readArrowTable(TABLE.replace("| nothing |", "| `engines` |"));
    const present = ["core/a", "record/a", "predict/a", "engines/a", "cli/a", "surprise/a"];
    const complaints = tableComplaints(
      circular,
      present.map((name) => file(`src/${name}.ts`)),
    );
    expect(lines(complaints)).toMatchInlineSnapshot(`
      "docs/architecture.md:1 arrow-table: src/surprise has no row marked "built"; add one
      docs/architecture.md:1 arrow-table: engines/simulated has no file; mark its row "planned"
      docs/architecture.md:1 arrow-table: rooms in a circle: core → engines → core; cut one arrow"
    `);
  });

  it("refuses files that import each other in a circle", () => {
    const complaints = cycleComplaints([
      file("src/core/a.ts", 'import type { B } from "./b.ts";'),
      file("src/core/b.ts", 'import { c } from "./c.ts";'),
      file("src/core/c.ts", 'import { a } from "./a.ts";'),
    ]);
    expect(lines(complaints)).toMatchInlineSnapshot(
      `"src/core/a.ts:1 import-cycle: src/core/a.ts → src/core/b.ts → src/core/c.ts → src/core/a.ts; move what both need into a third file"`,
    );
  });

  it("lets a worker import the file that starts it", () => {
    const files = [
      file("src/core/a.ts", 'new Worker(new URL("./worker.ts", import.meta.url));'),
      file("src/core/worker.ts", 'import { a } from "./a.ts";'),
    ];
    expect(cycleComplaints(files)).toEqual([]);
  });

  it("refuses files that only their own test reaches, and spares worker entries", () => {
    const complaints = deadFileComplaints([
      file("bin/slipway.js", 'import { main } from "../dist/cli/main.js";'),
      file("src/cli/main.ts", 'export const entry = new URL("../core/worker.js", import.meta.url);'),
      file("src/core/worker.ts", 'import { used } from "./used.ts";'),
      file("src/core/used.ts"),
      file("src/core/unused.ts"),
      file(
        "src/core/unused.test.ts",
        'import { unused } from "./unused.ts";',
        'import "../../test/fakes/a.ts";',
      ),
      file("test/fakes/a.ts"),
      file("test/fakes/b.ts"),
    ]);
    expect(lines(complaints)).toMatchInlineSnapshot(`
      "src/core/unused.ts:1 dead-file: nothing in the program reaches it; wire or delete it
      test/fakes/b.ts:1 dead-file: no test reaches it; use or delete it"
    `);
  });
});

describe("budgets", () => {
  const long = (path: string, count: number): ProjectFile =>
    file(path, ...Array<string>(count).fill("// line"));

  it("refuses long files, and lets granted ones only shrink", () => {
    const complaints = [
      ...fileBudgetComplaints(long("src/core/a.ts", 501), {}),
      ...fileBudgetComplaints(long("src/core/b.ts", 301), {}),
      ...fileBudgetComplaints(long("src/core/c.ts", 320), { "src/core/c.ts": 310 }),
      ...fileBudgetComplaints(long("src/core/d.ts", 300), { "src/core/d.ts": 310 }),
      ...fileBudgetComplaints(long("test/e.test.ts", 501), {}),
    ];
    expect(lines(complaints)).toMatchInlineSnapshot(`
      "src/core/a.ts:501 file-budget: 501 lines, at most 500; split it by subject
      src/core/b.ts:301 file-budget: 301 lines, at most 300; split it by subject
      src/core/c.ts:320 file-budget: 320 lines, 310 were granted; a long file may only shrink
      src/core/d.ts:300 file-budget: within the budget again; strike it from the list of long files
      test/e.test.ts:501 file-budget: 501 lines, at most 500; split it by subject"
    `);
  });

  it("accepts files at their budget", () => {
    expect(fileBudgetComplaints(long("src/core/a.ts", 300), {})).toEqual([]);
    expect(fileBudgetComplaints(long("src/core/a.ts", 305), { "src/core/a.ts": 305 })).toEqual([]);
    expect(fileBudgetComplaints(long("test/a.test.ts", 500), {})).toEqual([]);
  });

  it("refuses functions over 70 lines, and accepts one of 70", () => {
    const of = (count: number): string[] => [
      "const f = () => {",
      ...Array<string>(count - 2).fill("  f();"),
      "};",
    ];
    expect(lines(functionBudgetComplaints(file("src/core/a.ts", "", ...of(71))))).toMatchInlineSnapshot(
      `"src/core/a.ts:2 function-budget: 71 lines, at most 70; give a part of it a name"`,
    );
    expect(functionBudgetComplaints(file("src/core/a.ts", ...of(70)))).toEqual([]);
  });
});

describe("banned calls", () => {
  const banned = (path: string, ...text: string[]): string =>
    lines(bannedCallComplaints(file(path, ...text)));

  it("refuses clocks, timers, chance, children and the console, however they are reached", () => {
    const bad = banned(
      "src/measure/bad.ts",
      'import { spawn } from "node:child_process";',
      'import { createHash, randomUUID } from "node:crypto";',
      'import { setTimeout as sleep } from "node:timers/promises";',
      "const a = Date.now();",
      "const b = new Date(0);",
      "const c = performance.now();",
      "const d = process.hrtime.bigint();",
      "const e = Math.random();",
      "const f = crypto.randomUUID();",
      "globalThis.setTimeout(a, 1);",
      "const later = setInterval;",
      "setImmediate(later);",
      "const g = AbortSignal.timeout(5);",
      "console.log(a);",
    );
    expect(bad).toMatchInlineSnapshot(`
      "src/measure/bad.ts:1 banned-import: spawn from node:child_process; start children through core/process
      src/measure/bad.ts:2 banned-import: createHash, randomUUID from node:crypto; take a RandomStream (core/random); import createHash by name
      src/measure/bad.ts:3 banned-import: setTimeout from node:timers/promises; take a Clock (core/clock) and use timerAt() or sleepUntil()
      src/measure/bad.ts:4 banned-call: Date.now; take a Clock (core/clock): nowNs() for durations, wallIso() for labels
      src/measure/bad.ts:5 banned-call: Date; take a Clock (core/clock): nowNs() for durations, wallIso() for labels
      src/measure/bad.ts:6 banned-call: performance.now; take a Clock (core/clock): nowNs() for durations, wallIso() for labels
      src/measure/bad.ts:7 banned-call: process.hrtime; take a Clock (core/clock): nowNs() for durations, wallIso() for labels
      src/measure/bad.ts:8 banned-call: Math.random; take a RandomStream (core/random), one per purpose and entity
      src/measure/bad.ts:9 banned-call: crypto.randomUUID; take a RandomStream (core/random), one per purpose and entity
      src/measure/bad.ts:10 banned-call: setTimeout; take a Clock (core/clock) and use timerAt() or sleepUntil()
      src/measure/bad.ts:11 banned-call: setInterval; take a Clock (core/clock) and use timerAt() or sleepUntil()
      src/measure/bad.ts:12 banned-call: setImmediate; take a Clock (core/clock) and use timerAt() or sleepUntil()
      src/measure/bad.ts:13 banned-call: AbortSignal.timeout; take a Clock (core/clock) and use timerAt() or sleepUntil()
      src/measure/bad.ts:14 banned-call: console; write through CliIo, or put an event into the RecordSink"
    `);
  });

  it("accepts what only looks like them", () => {
    const fine = banned(
      "src/measure/fine.ts",
      'import { createHash } from "node:crypto";',
      "export const at = (text: string): number => Date.parse(text);",
      "export const limits = { setTimeout: 1, console: 2 };",
      "export const n = limits.setTimeout + limits.console + clock.now();",
    );
    expect(fine).toBe("");
  });

  it("lets each real source live in its one home, and tests alone", () => {
    expect(banned("src/core/clock.ts", "setTimeout(f, process.hrtime());")).toBe("");
    expect(banned("src/core/random.ts", 'import { randomInt } from "node:crypto";')).toBe("");
    expect(banned("src/core/process.ts", 'import { spawn } from "node:child_process";')).toBe("");
    expect(banned("src/core/clock.test.ts", "setTimeout(f, 1);")).toBe("");
  });
});

describe("words and names", () => {
  it("refuses leftover markers in comments and documents, not in strings", () => {
    const marker = "TO" + "DO";
    const code = file(
      "src/core/a.ts",
      "",
      `// ${marker}: later`,
      `/* a`,
      ` * ${"HA" + "CK"} */`,
      `f("${marker}");`,
    );
    expect(lines(leftoverComplaints(code))).toMatchInlineSnapshot(`
      "src/core/a.ts:2 leftover: TODO; do it, or open an issue and delete the marker
      src/core/a.ts:4 leftover: HACK; do it, or open an issue and delete the marker"
    `);
    expect(lines(leftoverComplaints(file("docs/a.md", "# A", `${"FIX" + "ME"} soon`)))).toMatchInlineSnapshot(
      `"docs/a.md:2 leftover: FIXME; do it, or open an issue and delete the marker"`,
    );
  });

  it("refuses default exports and re-exports, and spares tool configuration", () => {
    const bad = file(
      "src/core/a.ts",
      "export default 1;",
      'export * from "./b.ts";',
      'export { c } from "./c.ts";',
      "export const d = 1;",
      "export { d as e };",
    );
    expect(lines(exportComplaints(bad))).toMatchInlineSnapshot(`
      "src/core/a.ts:1 default-export: export it by its name
      src/core/a.ts:2 re-export: let users import the file that defines it
      src/core/a.ts:3 re-export: let users import the file that defines it"
    `);
    expect(exportComplaints(file("vitest.config.ts", "export default {};"))).toEqual([]);
  });

  it("refuses tests that are left out without a reason", () => {
    const bad = file(
      "src/core/a.test.ts",
      'it.skipIf(true)("a", f);',
      'test.only("b", f);',
      'describe.skip("c", f);',
      'it("d", (context) => context.skip());',
      'it("e", (context) => context.skip("no GPU here"));',
    );
    expect(lines(skipComplaints(bad))).toMatchInlineSnapshot(`
      "src/core/a.test.ts:1 silent-skip: it.skipIf; call context.skip(reason) inside the test
      src/core/a.test.ts:2 silent-skip: test.only; call context.skip(reason) inside the test
      src/core/a.test.ts:3 silent-skip: describe.skip; call context.skip(reason) inside the test
      src/core/a.test.ts:4 silent-skip: context.skip; call context.skip(reason) inside the test"
    `);
  });

  it("refuses names that are no kebab-case or say nothing", () => {
    const paths = [
      "src/core/runDir.ts",
      "src/utils/a.ts",
      "src/core/types.ts",
      "src/core/index.ts",
      "docs/Guide.md",
    ];
    expect(lines(paths.flatMap((path) => nameComplaints(file(path))))).toMatchInlineSnapshot(`
      "src/core/runDir.ts:1 file-name: "runDir.ts" is not kebab-case
      src/utils/a.ts:1 file-name: "utils" says nothing; name it after what is in it
      src/core/types.ts:1 file-name: "types.ts" says nothing; name it after what is in it
      src/core/index.ts:1 file-name: "index.ts" says nothing; name it after what is in it
      docs/Guide.md:1 file-name: "Guide.md" is not kebab-case"
    `);
    const fine = [
      "README.md",
      ".ci/run",
      "docs/decisions/0001-one-package.md",
      "src/core/clock.test.ts",
      ".npmrc",
    ];
    expect(fine.flatMap((path) => nameComplaints(file(path)))).toEqual([]);
  });
});

describe("documents", () => {
  const project = [
    file("src/core/clock.ts", "export interface Clock { nowNs(): number }"),
    file("docs/architecture.md", "# Map", "## One run, start to end", TABLE),
  ];
  const known = knownOf(project, rooms);

  it("wants one title, and does not count comments in code blocks", () => {
    expect(lines(titleComplaints(file("docs/a.md", "# A", "text", "# B")))).toMatchInlineSnapshot(
      `"docs/a.md:3 one-title: 2 titles ("# …"), exactly one is wanted"`,
    );
    expect(lines(titleComplaints(file("docs/a.md", "text")))).toMatchInlineSnapshot(
      `"docs/a.md:1 one-title: 0 titles ("# …"), exactly one is wanted"`,
    );
    expect(titleComplaints(file("docs/a.md", "# A", "```sh", "# a comment", "```"))).toEqual([]);
  });

  it("refuses paths of one machine, and accepts URL paths", () => {
    const bad = file("docs/a.md", "see `/home/me/x` and C:\\data\\x");
    expect(lines(machinePathComplaints(bad))).toMatchInlineSnapshot(
      `"docs/a.md:1 machine-path: /home/me/x exists on one machine only; write it relative to the project or to $HOME"`,
    );
    expect(machinePathComplaints(file("docs/a.md", "`/v1/models`, http://a/home/x, ~/x"))).toEqual([]);
  });

  it("refuses links that lead nowhere", () => {
    const bad = file(
      "docs/a.md",
      "[gone](gone.md) [no heading](architecture.md#nothing) [web](https://a.example)",
      "[fine](architecture.md#one-run-start-to-end) [up](../src/core/clock.ts)",
    );
    const textOf = (path: string): string => project.find((other) => other.path === path)?.text ?? "";
    expect(lines(linkComplaints(bad, known, textOf))).toMatchInlineSnapshot(`
      "docs/a.md:1 link: gone.md leads nowhere
      docs/a.md:1 link: docs/architecture.md has no heading #nothing"
    `);
  });

  it("refuses paths and identifiers that the project does not have", () => {
    const bad = file(
      "README.md",
      "`src/core/gone.ts` `core/gone` `gone.ts` `goneWord` `Clock.goneToo()` `GONE_FLAG`",
      "`src/core/clock.ts` `core/clock` `core/` `clock.ts` `nowNs` `Clock.nowNs()` `gateway/server` `a/b` `word`",
      "`foreignWord`",
    );
    expect(lines(referenceComplaints(bad, known, new Set(["foreignWord"])))).toMatchInlineSnapshot(`
      "README.md:1 reference: src/core/gone.ts does not exist
      README.md:1 reference: core/gone does not exist
      README.md:1 reference: no file is called gone.ts
      README.md:1 reference: goneWord occurs nowhere in the code
      README.md:1 reference: goneToo occurs nowhere in the code
      README.md:1 reference: GONE_FLAG occurs nowhere in the code"
    `);
  });

  it("refuses flags that no command defines", () => {
    const flags = new Set(["--runs"]);
    const bad = file(
      "README.md",
      "`slipway bench --runs 3 --gone`",
      "npx slipway bench --lost=1",
      "tool --other",
    );
    expect(lines(flagComplaints(bad, flags))).toMatchInlineSnapshot(`
      "README.md:1 flag: no command defines --gone
      README.md:2 flag: no command defines --lost"
    `);
  });

  it("holds the error page and the catalogue together", () => {
    const page = file("docs/errors.md", "# Errors", "### DISK_FULL", "### GONE", "### DISK_FULL");
    expect(lines(errorPageComplaints(page, ["DISK_FULL", "PORT_IN_USE"]))).toMatchInlineSnapshot(`
      "docs/errors.md:1 error-page: PORT_IN_USE has no heading; give its cause and remedy
      docs/errors.md:3 error-page: GONE is not in the catalogue, or described twice
      docs/errors.md:4 error-page: DISK_FULL is not in the catalogue, or described twice"
    `);
  });
});
