/** A sweep on a real llama-server, and the watchdog tripped for real by a process that eats memory. */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "vitest";
import { expect, it } from "vitest";
import { BYTES_PER_MIB } from "../../src/core/units.ts";
import type { StartRecord } from "../../src/experiment/start-record.ts";
import { FleetFolder } from "../e2e/fleet-folder.ts";
import type { Finished } from "../e2e/slipway-process.ts";
import { writeTinyGguf } from "../fakes/tiny-gguf.ts";
import { describeOn, findLlamaServer } from "./servers.ts";

/** What the log prints has two decimals of a MiB, one line for each kind of buffer. */
const PRINTED_BYTES = 0.0102 * BYTES_PER_MIB;

interface Said {
  readonly run: string;
  readonly knee: { readonly kind: string };
  readonly table: readonly { readonly configuration: { readonly slots: number } }[];
  readonly unusable: readonly { readonly cell: string; readonly reason: string }[];
  readonly starts: readonly StartRecord[];
}

function folderWith(program: string, { onTestFinished }: TestContext): FleetFolder {
  const folder = new FleetFolder();
  onTestFinished(() => folder.remove());
  const model = writeTinyGguf(join(folder.path, "tiny.gguf"));
  folder.write({ name: "tiny", engine: "llama-server", program, model, threads: 1 });
  folder.write({ name: "before", engine: "llama-server", program, model, threads: 1, slots: 1 });
  folder.mode("usual", "before");
  mkdirSync(join(folder.path, "roles"));
  writeFileSync(
    join(folder.path, "roles", "caller.yaml"),
    JSON.stringify({ name: "Caller", maxOutputTokens: 24, toolResultTokens: 120 }),
  );
  return folder;
}

async function sweep(folder: FleetFolder, ...args: readonly string[]): Promise<Finished & { said: Said }> {
  const common = ["--preset", "tiny", "--mix", "./roles/caller.yaml", "--runs", "1", "--json"];
  const finished = await folder.run("capacity", ...common, ...args);
  return { ...finished, said: JSON.parse(finished.stdout) as Said };
}

/** Counts as memory of the server, since it is the server's child; it ends with it. */
const EATER = `
const held = Buffer.alloc(600 * 1024 * 1024, 1);
setInterval(() => held[0]++, 1000);
`;

describeOn(findLlamaServer(), "a real sweep", (program) => {
  it("measures what the ledger predicted, finds a knee, and gives the machine back", async (context) => {
    const folder = folderWith(program, context);
    const supervisor = await folder.up("usual");
    const { code, said } = await sweep(folder, "--slots", "1,2", "--ctx", "512,1024", "--duration", "2s");
    expect(code).toBe(0);
    expect(said.table).toHaveLength(4);
    for (const start of said.starts) {
      expect(start).toMatchObject({ outcome: { kind: "fits" }, residency: "host-only" });
      const items = start.compared.filter(({ item }) => item === "cache" || item === "output");
      expect(items.map(({ item }) => item)).toEqual(["cache", "output"]);
      for (const { predictedBytes, parsedBytes } of items)
        expect(Math.abs(parsedBytes - predictedBytes)).toBeLessThan(PRINTED_BYTES);
      expect(start.bootMs).toBeGreaterThan(0);
      expect(start.usedBytes).toBeGreaterThan(
        start.compared.find(({ item }) => item === "cache")?.parsedBytes ?? NaN,
      );
    }
    expect(await folder.states()).toEqual({ before: "ready" });
    supervisor.kill("SIGTERM");
    await supervisor.finished;
    folder.expectNothingLeft();
  });

  it("stops the workload, then the server, when memory runs short, and goes on", async (context) => {
    const folder = folderWith(program, context);
    const eater = join(folder.path, "eater.mjs");
    const hungry = join(folder.path, "hungry-llama-server");
    writeFileSync(eater, EATER);
    writeFileSync(
      hungry,
      `#!/bin/sh\ncase " $* " in *" --parallel 2 "*) (sleep 2; exec "${process.execPath}" "${eater}") & ;; esac\nexec "${program}" "$@"\n`,
    );
    chmodSync(hungry, 0o700);
    folder.write({
      name: "tiny",
      engine: "llama-server",
      program: hungry,
      model: join(folder.path, "tiny.gguf"),
      threads: 1,
    });
    // A budget, so that the machine itself is never short: 300 MiB for servers of 35, and one that grows by 600.
    const budget = ["--memory-budget-mib", "300"];
    const { code, said } = await sweep(
      folder,
      "--slots",
      "1,2",
      "--ctx",
      "1024",
      "--duration",
      "15s",
      ...budget,
    );
    expect(code).toBe(0);
    expect(said.knee.kind).toBe("found");
    expect(said.table.map(({ configuration }) => configuration.slots)).toEqual([1]);
    expect(said.unusable).toMatchObject([
      {
        cell: "2x1k",
        reason: expect.stringMatching(/^free for models 0 KiB, limit .*: no new clients are admitted/),
      },
    ]);
    const events = readFileSync(join(said.run, "events.jsonl"), "utf8");
    expect(events).toContain('"kind":"cell-unusable"');
    const trials = readFileSync(join(said.run, "trials.jsonl"), "utf8").trim().split("\n");
    const statuses = trials.map((line) => {
      const { cell, status } = JSON.parse(line) as { readonly cell: string; readonly status: string };
      return `${cell} ${status}`;
    });
    expect(statuses.toSorted()).toEqual(["1x1k complete", "2x1k interrupted"]);
    folder.expectNothingLeft();
  });
});
