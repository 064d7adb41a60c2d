/** The page as a browser sees it: opened from disk, in light and dark, wide and narrow, and on paper. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { pathToFileURL } from "node:url";
import type { AxeResults } from "axe-core";
import type { Browser, Page } from "playwright-core";
import { chromium } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { renderHtml } from "../../src/report/html/page.ts";
import { chartDrawer } from "../../src/report/plots/draw.ts";
import { block, reportOf, samples } from "../fakes/viewed-run.ts";

/** As Debian and others call it; the headless shell starts fastest. */
const BROWSERS = ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"];

function findBrowser(): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  return BROWSERS.flatMap((name) => folders.map((folder) => join(folder, name))).find(existsSync);
}

const executablePath = findBrowser();
const AXE_SOURCE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

async function writeReports(folder: string): Promise<Readonly<Record<string, string>>> {
  const draw = await chartDrawer();
  const names = ["agent-1", "<script>agent</script>", "agent-3", "agent-4"];
  const trials = [1, 2, 4].flatMap((count) =>
    [512, 1024].flatMap((numCtx) =>
      [0, 1, 2].flatMap((repeat) =>
        block({
          repeat,
          cell: `made numCtx=${numCtx} N=${count}`,
          names: names.slice(0, count),
          parameters: { numCtx, agents: count },
          togetherTokS: 110 / count + repeat,
          record: { simulated: true },
        }),
      ),
    ),
  );
  const matrix = reportOf(trials, { simulated: true, runId: "20260102T030405Z-made-0002" }, samples());
  const one = reportOf(block({ repeat: 0, cell: "made", names: ["a", "b"], togetherTokS: 60 }));
  const empty = reportOf([], {
    plannedTrials: 1,
    status: "interrupted",
    runId: "20260102T030405Z-made-0003",
  });
  const pages = {
    "a matrix with a ladder": [matrix],
    "one trial": [one],
    "three runs": [matrix, one, empty],
  };
  return Object.fromEntries(
    Object.entries(pages).map(([name, reports], index) => {
      const path = join(folder, `report-${index}.html`);
      writeFileSync(path, renderHtml(reports, draw));
      return [name, pathToFileURL(path).href];
    }),
  );
}

const VIEWS = {
  light: { colorScheme: "light", viewport: { width: 1280, height: 800 } },
  dark: { colorScheme: "dark", viewport: { width: 1280, height: 800 } },
  narrow: { colorScheme: "light", viewport: { width: 400, height: 800 } },
} as const;

const cases = ["a matrix with a ladder", "one trial", "three runs"].flatMap((name) =>
  Object.keys(VIEWS).map((view) => [name, view as keyof typeof VIEWS] as const),
);

describe("the report in a browser", () => {
  let browser: Browser | undefined;
  let urls: Readonly<Record<string, string>> = {};

  let folder: string | undefined;

  beforeAll(async () => {
    if (executablePath === undefined) return;
    folder = mkdtempSync(join(tmpdir(), "slipway-report-"));
    urls = await writeReports(folder);
    browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });
  beforeEach((context) => {
    if (browser === undefined) context.skip(`no browser on PATH: looked for ${BROWSERS.join(", ")}`);
  });

  async function opened(
    name: string,
    view: keyof typeof VIEWS,
    use: (page: Page, said: readonly string[]) => Promise<void>,
    bypassCSP = false,
  ): Promise<void> {
    const context = await (browser as Browser).newContext({ ...VIEWS[view], bypassCSP });
    const said: string[] = [];
    const page = await context.newPage();
    page.on("console", (message) => said.push(`${message.type()}: ${message.text()}`));
    page.on("pageerror", (error) => said.push(`error: ${error.message}`));
    page.on("request", (request) => {
      if (!request.url().startsWith("file:") && !request.url().startsWith("data:")) said.push(request.url());
    });
    try {
      await page.goto(urls[name] as string);
      await use(page, said);
    } finally {
      await context.close();
    }
  }

  it.each(cases)(
    "opens %s (%s) without a word on the console, a request, or a page wider than the screen",
    async (name, view) => {
      await opened(name, view, async (page, said) => {
        expect(said).toEqual([]);
        const widths = await page.evaluate("[document.documentElement.scrollWidth, innerWidth]");
        const [scrolled = 0, inner = 0] = widths as number[];
        expect(scrolled).toBeLessThanOrEqual(inner);
      });
    },
  );

  it.each(cases)("has nothing that axe finds fault with: %s (%s)", async (name, view) => {
    // axe is a script, which the page forbids; only here the ban is lifted.
    await opened(
      name,
      view,
      async (page) => {
        await page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true");
        await page.evaluate(AXE_SOURCE);
        const results = (await page.evaluate(
          "axe.run(document, { resultTypes: ['violations'] })",
        )) as AxeResults;
        const faults = results.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html.slice(0, 120)}`);
        expect(faults).toEqual([]);
      },
      true,
    );
  });

  it("shows the answer, the doubts and the next step on the first screen", async () => {
    await opened("one trial", "light", async (page) => {
      const bottom = await page.evaluate("document.querySelector('.brief').getBoundingClientRect().bottom");
      expect(bottom).toBeLessThan(VIEWS.light.viewport.height);
    });
  });

  it("is dark where dark is asked for, and on paper never", async () => {
    await opened("one trial", "dark", async (page) => {
      const ground = "getComputedStyle(document.documentElement).getPropertyValue('--ground').trim()";
      const dark = await page.evaluate(ground);
      await page.emulateMedia({ media: "print", colorScheme: "dark" });
      expect(await page.evaluate(ground)).not.toBe(dark);
    });
  });

  it("takes the keyboard to the answer first", async () => {
    await opened("one trial", "light", async (page) => {
      await page.keyboard.press("Tab");
      expect(await page.evaluate("document.activeElement.getAttribute('href')")).toBe("#content");
    });
  });
});
