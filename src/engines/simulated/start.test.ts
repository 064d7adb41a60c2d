/** The worker is a file of its own, so these run from the build. */
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { realClock } from "../../core/clock.ts";
import { plainEnvironment, startChild } from "../../core/process.ts";
import type { OwnedChild } from "../../core/process.ts";
import type * as Start from "./start.ts";

const ROOT = new URL("../../../", import.meta.url);

async function built(): Promise<typeof Start> {
  return (await import(new URL("dist/engines/simulated/start.js", ROOT).href)) as typeof Start;
}

function complete(url: string): Promise<Response> {
  const body = JSON.stringify({ prompt: "x", max_tokens: 2, ignore_eos: true });
  return fetch(`${url}/v1/completions`, { method: "POST", body });
}

describe("the engine in a worker", () => {
  it("serves until it is stopped, and then nothing listens", async () => {
    const { startSimulatedEngineInWorker } = await built();
    const engine = await startSimulatedEngineInWorker({ speed: 500, loadMs: 0 });
    const response = await complete(engine.url);
    expect(response.headers.get("x-slipway-simulated")).toBe("1");
    expect(await response.json()).toMatchObject({ usage: { completion_tokens: 2 } });
    await engine.stop();
    await expect(complete(engine.url)).rejects.toThrow();
  });

  it("fails like the engine in this thread: bad options and a taken port", async () => {
    const { startSimulatedEngineInWorker } = await built();
    await expect(startSimulatedEngineInWorker({ gpu: "abacus" })).rejects.toMatchObject({
      code: "FLAG_INVALID",
    });
    const engine = await startSimulatedEngineInWorker({ loadMs: 0 });
    const port = Number(new URL(engine.url).port);
    await expect(startSimulatedEngineInWorker({ port })).rejects.toMatchObject({ code: "PORT_IN_USE" });
    await engine.stop();
  });
});

describe("slipway engine", () => {
  const children: OwnedChild[] = [];

  afterEach(async () => {
    for (const child of children.splice(0)) await child.stop();
  });

  async function slipwayEngine(
    ...args: string[]
  ): Promise<{ child: OwnedChild; firstLine: Promise<string> }> {
    let tell: (line: string) => void = () => undefined;
    const firstLine = new Promise<string>((resolve) => {
      tell = resolve;
    });
    const child = await startChild(
      {
        command: process.execPath,
        args: [fileURLToPath(new URL("bin/slipway.js", ROOT)), "engine", ...args],
        env: plainEnvironment(),
        onStdoutLine: (line) => tell(line),
      },
      realClock,
    );
    children.push(child);
    return { child, firstLine };
  }

  it("prints one document with its URL, serves, and ends with 0 on SIGTERM", async () => {
    const { child, firstLine } = await slipwayEngine(
      "--json",
      "--speed",
      "500",
      "--load-ms",
      "0",
      "--seed",
      "7",
    );
    const { url, simulated } = JSON.parse(await firstLine) as { url: string; simulated: boolean };
    expect(simulated).toBe(true);
    expect(await (await complete(url)).json()).toMatchObject({ usage: { completion_tokens: 2 } });
    expect(await child.stop()).toMatchObject({ code: 0, signal: null });
  });

  it("says SIMULATED to people", async () => {
    const { firstLine } = await slipwayEngine("--like", "ollama", "--model", "gemma3:latest");
    expect(await firstLine).toMatch(/^SIMULATED engine at http:\/\/127\.0\.0\.1:\d+$/);
  });

  it("refuses a bad flag with its rule and exit code 2", async () => {
    const { child } = await slipwayEngine("--like", "hal-9000");
    const { code, stderrTail } = await child.exited;
    expect(code).toBe(2);
    expect(stderrTail).toBe(
      "error FLAG_INVALID: --like is one of any, ollama, llama-server, openai\n" +
        "  received: hal-9000\n" +
        "  next: slipway engine --help shows every flag with an example\n",
    );
  });
});
