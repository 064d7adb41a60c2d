/** Which cells are started to find what fits. */
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { PaperSweepMachine, paperCell, paperSweep } from "../../test/fakes/paper-sweep.ts";
import { temporaryDirectory } from "../../test/fakes/temporary-directory.ts";
import { writeTinyGguf } from "../../test/fakes/tiny-gguf.ts";
import { memoryPhase } from "./memory-phase.ts";
import type { StartRecord } from "./start-record.ts";

let model = "";
beforeEach(() => {
  model = writeTinyGguf(join(temporaryDirectory(), "tiny.gguf"));
});

const SLOTS = [1, 2, 4, 8];
const CONTEXTS = [1024, 2048, 4096, 8192];
const GRID = SLOTS.flatMap((slots) => CONTEXTS.map((tokens) => paperCell(slots, tokens)));

/** What does not fit runs out of memory when it starts. */
function machineFor(fits: (slots: number, tokens: number) => boolean): PaperSweepMachine {
  const machine = new PaperSweepMachine("host");
  machine.scriptOf = (preset) => {
    const [slots, tokens] = (/(\d+)x(\d+)$/.exec(preset) ?? []).slice(1).map(Number);
    return fits(slots ?? 0, tokens ?? 0)
      ? {}
      : { failure: { code: "HOST_OUT_OF_MEMORY", message: "no memory" } };
  };
  return machine;
}

describe("phase 1", () => {
  it("finds a grid's boundary with fewer starts than cells", async () => {
    const { sweep, run } = paperSweep(
      model,
      machineFor((slots, tokens) => slots * tokens <= 8192),
      {},
    );
    const { fitting, starts, contradictions } = await run(memoryPhase(sweep, GRID, new Map()));
    expect(fitting.map(({ name }) => name)).toEqual([
      ...["1x1024", "1x2048", "1x4096", "1x8192"],
      ...["2x1024", "2x2048", "2x4096"],
      ...["4x1024", "4x2048"],
      "8x1024",
    ]);
    expect(starts.length).toBeLessThan(GRID.length);
    expect(contradictions).toEqual([]);
  });

  it("says so when more fitted than less did", async () => {
    const { sweep, run } = paperSweep(
      model,
      machineFor((slots, tokens) => slots > 1 || tokens <= 1024),
      {},
    );
    const { contradictions } = await run(memoryPhase(sweep, GRID, new Map()));
    expect(contradictions.join("\n")).toContain("1x2048 did not fit and the larger 2x");
  });

  it("tries cells that are no grid one by one", async () => {
    const { sweep, machine, run } = paperSweep(
      model,
      machineFor((slots) => slots < 4),
      {},
    );
    const cells = [paperCell(3, 65_536), paperCell(5, 32_768), paperCell(1, 131_072)];
    const { fitting } = await run(memoryPhase(sweep, cells, new Map()));
    expect(fitting.map(({ name }) => name)).toEqual(["3x65536", "1x131072"]);
    expect(machine.asked.flat()).toHaveLength(3);
  });

  it("starts nothing that an attempt before has found out", async () => {
    const first = paperSweep(
      model,
      machineFor(() => true),
    );
    const { starts } = await first.run(memoryPhase(first.sweep, GRID, new Map()));
    const known = new Map<string, StartRecord>(starts.map((record) => [record.cell, record]));
    const again = paperSweep(
      model,
      machineFor(() => false),
    );
    const { fitting } = await again.run(memoryPhase(again.sweep, GRID, known));
    expect(fitting).toHaveLength(GRID.length);
    expect(again.machine.asked).toEqual([]);
  });
});
