/** The page as a whole: what it is made of, what it needs, and what hostile input does to it. */
import { createHash } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import type { RunReport } from "../src/report/html/page.ts";
import { renderHtml } from "../src/report/html/page.ts";
import type { Draw } from "../src/report/plots/draw.ts";
import { chartDrawer } from "../src/report/plots/draw.ts";
import { madeEndpoint } from "./fakes/recorded-run.ts";
import { block, reportOf, samples } from "./fakes/viewed-run.ts";

let draw: Draw;
beforeAll(async () => {
  draw = await chartDrawer();
});

const NAMES = ["agent-1", "agent-2", "agent-3", "agent-4"];

/** Two counts of agents, three repeats each. */
function ladder(simulated: boolean): RunReport {
  return reportOf(
    [2, 4].flatMap((count) =>
      [0, 1, 2].flatMap((repeat) =>
        block({
          repeat,
          cell: `made N=${count}`,
          names: NAMES.slice(0, count),
          parameters: { agents: count },
          togetherTokS: 120 / count + repeat,
          record: { simulated },
        }),
      ),
    ),
    { simulated, runId: simulated ? "20260102T030405Z-made-0002" : "20260102T030405Z-made-0001" },
    samples(),
  );
}

/** Elements that a reader or a machine finds their way by, without text, drawings and tables' cells. */
function skeleton(html: string): string {
  return html
    .replace(/<style>[\s\S]*?<\/style>/g, "")
    .replace(/<svg[\s\S]*?<\/svg>/g, "<svg/>")
    .replace(/<t(?:head|body)>[\s\S]*?<\/t(?:head|body)>/g, "")
    .replace(/sha256-[^']*/, "sha256-…")
    .split("\n")
    .filter((line) =>
      /<(?:html|meta|title|link|header|nav|main|article|section|h\d|figure|table|caption|footer|details|a )/.test(
        line,
      ),
    )
    .map((line) => line.trim())
    .join("\n");
}

describe("a report", () => {
  it("has the parts that a reader asks for, in their order", () => {
    expect(skeleton(renderHtml([ladder(true)], draw))).toMatchSnapshot();
  });

  it("is one file that asks nobody for anything, and forbids itself to", () => {
    const html = renderHtml([ladder(false)], draw);
    const style = /<style>([\s\S]*?)<\/style>/.exec(html)?.[1] ?? "";
    const hash = createHash("sha256").update(style).digest("base64");
    expect(html).toContain(`default-src 'none'; style-src 'sha256-${hash}'`);
    const asking = /<script|<link rel="stylesheet"|<img|@import|url\((?!#)| src=| style="| on\w+="/;
    expect(asking.exec(html)?.[0]).toBeUndefined();
    expect(
      [...html.matchAll(/ href="([^"]*)"/g)]
        .map(([, href]) => href)
        .filter((href) => !/^#|^data:,$/.test(href ?? "")),
    ).toEqual([]);
  });

  it("has a target for every link and no id twice", () => {
    const html = renderHtml([ladder(true), ladder(false)], draw);
    const ids = [...html.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [, target] of html.matchAll(/ (?:href="#|aria-labelledby=")([^"]*)"/g))
      for (const id of (target ?? "").split(" ")) expect(ids).toContain(id);
  });

  it("answers the five questions first", () => {
    const html = renderHtml([ladder(false)], draw);
    const first = html.slice(0, html.indexOf('<section class="section"'));
    expect([...first.matchAll(/<dt>([^<]*)<\/dt>/g)].map(([, term]) => term)).toEqual([
      ...["True speedup", "Kept of solo speed", "Throughput of all agents", "First token, slowest agent"],
      ...["What was run", "On what", "What came out", "How sure", "What to do"],
    ]);
    expect(first).toContain('<code class="command">slipway bench');
  });

  it("holds what else was asked of the run, as often as it was asked", () => {
    const section = {
      id: "verdict",
      title: "Verdicts",
      simulated: false,
      blocks: [{ kind: "sentence", text: "confirmed & sure", weight: "lead" }],
    } as const;
    const html = renderHtml([{ ...ladder(false), sections: [section, section] }], draw);
    expect(html.match(/<h2 [^>]*>Verdicts<\/h2>\n<p class="first">confirmed &amp; sure<\/p>/g)).toHaveLength(
      2,
    );
    expect(html).toContain('<a href="#run-1-verdict-1">Verdicts</a>');
  });

  it("names every trial and file that its numbers come from", () => {
    const html = renderHtml([ladder(false)], draw);
    for (const count of [2, 4])
      for (const repeat of [0, 1, 2]) expect(html).toContain(`made-N=${count}-r${repeat}-together`);
    for (const file of [
      "manifest.json",
      "trials.jsonl",
      "requests.jsonl",
      "chunks.jsonl",
      "telemetry.jsonl",
      "analysis.json",
    ])
      expect(html).toContain(file);
  });
});

describe("SIMULATED", () => {
  it("stands over the page, in its title, on every sheet and beside every heading of a section", () => {
    const html = renderHtml([ladder(true)], draw);
    expect(html).toContain("<title>SIMULATED ");
    expect(html).toContain('<body class="simulated">');
    expect(html).toContain('class="simulated-banner"');
    for (const [heading] of html.matchAll(/<h2 [\s\S]*?<\/h2>/g))
      expect(heading).toContain(">SIMULATED</span>");
  });

  it("stands nowhere in a report of a real run", () => {
    const html = renderHtml([ladder(false)], draw).replace(/<style>[\s\S]*?<\/style>/, "");
    expect(html).not.toMatch(/SIMULATED/);
  });

  it("marks the one of two runs that is", () => {
    const html = renderHtml([ladder(false), ladder(true)], draw);
    expect(html).toContain("SIMULATED in 1 of 2 runs");
    expect(html).toContain('<article class="run" id="run-1"');
    expect(html).toContain('<article class="run simulated" id="run-2"');
  });
});

describe("hostile input", () => {
  const EVIL = [
    `<script>alert(1)</script>`,
    `"><img src=x onerror=alert(1)>`,
    `' onmouseover='alert(1)`,
    `</style></svg></table><h1>`,
    `\u202eevil\u0000&amp;`,
  ];

  it("in names, models, labels and messages is shown as text", () => {
    const evil = EVIL.join(" ");
    const html = renderHtml(
      [
        reportOf(
          block({
            repeat: 0,
            cell: evil,
            names: EVIL,
            parameters: { [evil]: evil },
            togetherTokS: 20,
            record: { warnings: [{ code: evil, message: evil, remedy: evil }] },
          }),
          {
            scenario: evil,
            runId: evil,
            command: [evil],
            host: { os: evil, cpuModel: evil, gpus: [] },
            endpoints: [madeEndpoint(evil, { url: evil, model: evil, engine: evil })],
          },
        ),
      ],
      draw,
    );
    const markup = html.replace(/<style>[\s\S]*?<\/style>/, "");
    expect(/<script|<img|<\/style>|\u202e|(?!\n)\p{Cc}/iu.exec(markup)?.[0]).toBeUndefined();
    // No attribute was broken out of: outside of tags no quote is bare, and no tag has a handler.
    for (const [tag] of markup.matchAll(/<[a-z][^>]*>/gi)) expect(tag).not.toMatch(/\son\w+\s*=/i);
    expect(markup.match(/<h1/g)).toHaveLength(1);
    expect(markup).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
  });
});

describe("a report of much", () => {
  it("stays under 2 MB with 135 trials of eight agents, and says what it leaves out", () => {
    const names = Array.from({ length: 8 }, (_, index) => `agent-${index + 1}`);
    const trials = Array.from({ length: 27 }, (_, cell) =>
      [0, 1, 2, 3, 4].flatMap((repeat) =>
        block({
          repeat,
          cell: `made numCtx=${cell % 9} temperature=${Math.floor(cell / 9)}`,
          names,
          parameters: { numCtx: cell % 9, temperature: Math.floor(cell / 9) },
          togetherTokS: 20 + cell + repeat,
        }),
      ),
    ).flat();
    const html = renderHtml([reportOf(trials)], draw);
    expect(Buffer.byteLength(html)).toBeLessThan(2_000_000);
    expect(html).toContain("Of 27 configurations, these are the one with the highest true speedup");
    expect(html).toContain("of 216 agents; the table has all.");
  });

  it("is a page even where no trial finished", () => {
    const html = renderHtml([reportOf([], { plannedTrials: 3, status: "interrupted" })], draw);
    expect(html).toContain("No trial finished, so there is nothing to report");
    expect(html).toContain("slipway bench --resume");
  });
});
