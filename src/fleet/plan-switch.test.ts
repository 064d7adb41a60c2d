import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { gpuReading, llamaPreset, vllmPreset } from "../../test/fakes/fleet-presets.ts";
import type { Preset } from "../preset/preset.ts";
import type { PresetState } from "./control/protocol.ts";
import { declaredNeed } from "./memory-need.ts";
import type { RunningServer, SwitchWish } from "./plan-switch.ts";
import { judgePlan, missingBytes, planSwitch } from "./plan-switch.ts";
import { STUDY_003_PROFILE, derivedProfile } from "./safety-profile.ts";

const MIB = 1_048_576;
const GIB = 1024 * MIB;

const chat = llamaPreset("chat", { memory: { vramMib: 14_000 }, priority: 80 });
const coder = llamaPreset("coder", { memory: { vramMib: 16_000 } });
const embedder = llamaPreset("embedder", { memory: { vramMib: 2_500 } });
const sleeper = vllmPreset("sleeper", { memory: { vramMib: 10_000 }, sleepLevel: 2 });

const server = (preset: Preset, state: PresetState = "ready", hash = `${preset.name}-1`): RunningServer => ({
  preset,
  hash,
  state,
});

function wish(
  target: readonly Preset[],
  running: readonly RunningServer[],
  more: Partial<SwitchWish> = {},
): SwitchWish {
  const reading = more.reading ?? gpuReading(22);
  return {
    to: "next",
    target: target.map((preset) => ({ preset, hash: `${preset.name}-1` })),
    running,
    hashes: new Map([chat, coder, embedder, sleeper].map(({ name }) => [name, `${name}-1`])),
    reading,
    profile: derivedProfile({ hostTotalBytes: 32 * GIB, pool: reading }),
    needOf: (preset) => declaredNeed(preset, reading),
    ...more,
  };
}

describe("what is kept, stopped and started", () => {
  test("a shared server stays, the rest changes, and memory is told before, during and after", () => {
    const reading = gpuReading(7);
    const plan = planSwitch(
      wish([coder, embedder], [server(chat), server(embedder)], { reading, from: "before" }),
    );
    expect(plan).toEqual({
      from: "before",
      to: "next",
      keep: ["embedder"],
      stop: [{ preset: "chat", how: "stop", freesBytes: 14_000 * MIB }],
      start: [{ preset: "coder", how: "start", needsBytes: 16_000 * MIB, after: [] }],
      memory: {
        kind: "gpu",
        totalBytes: 24 * GIB,
        freeBeforeBytes: 7 * GIB,
        freeDuringBytes: 7 * GIB + 14_000 * MIB,
        freeAfterBytes: 7 * GIB - 2_000 * MIB,
        marginBytes: 512 * MIB,
      },
      checks: [],
      fits: true,
      alternatives: [],
    });
  });

  test.each<PresetState>(["failed", "stopped"])(
    "a shared server that is %s is started, with nothing to stop",
    (state) => {
      const plan = planSwitch(wish([embedder], [server(embedder, state)]));
      expect([plan.keep, plan.stop, plan.start.map(({ preset }) => preset)]).toEqual([[], [], ["embedder"]]);
    },
  );

  test("a server whose restart is under way is stopped and started, and gives back only what was measured", () => {
    const plan = planSwitch(wish([embedder], [server(embedder, "restarting")]));
    expect(plan.stop).toEqual([{ preset: "embedder", how: "stop" }]);
    expect(plan.start).toHaveLength(1);
    expect(plan.memory.freeDuringBytes).toBe(22 * GIB);
  });

  test("a changed preset is stopped and started again", () => {
    const plan = planSwitch(wish([embedder], [server(embedder, "ready", "embedder-0")]));
    expect(plan.keep).toEqual([]);
    expect(plan.stop[0]?.preset).toBe("embedder");
    expect(plan.start[0]?.preset).toBe("embedder");
  });

  test("what the driver measured is taken before what was declared", () => {
    const plan = planSwitch(
      wish([coder], [{ ...server(chat), heldBytes: 9 * GIB }], { reading: gpuReading(8) }),
    );
    expect(plan.stop[0]?.freesBytes).toBe(9 * GIB);
    // 17 GiB do, for 16,000 MiB and 512.
    expect(plan.fits).toBe(true);
  });

  test("what a kept server declares and does not hold yet is not given away", () => {
    const lazy = llamaPreset("lazy", { memory: { vramMib: 1_000 } });
    const next = llamaPreset("next", { memory: { vramMib: 1_000 } });
    const kept = { ...server(lazy), heldBytes: 13 * MIB };
    // Of a budget of 1,500 MiB one of the two has room, and 487 MiB and the margin are all that is left beside it.
    const reading = gpuReading(0, { budgetBytes: 1_500 * MIB, freeBytes: 1_487 * MIB });
    const plan = planSwitch(wish([lazy, next], [kept], { reading }));
    expect(plan.keep).toEqual(["lazy"]);
    expect(plan.fits).toBe(false);
    expect(plan.memory.promisedBytes).toBe(987 * MIB);
    expect(plan.memory.freeAfterBytes).toBe(-500 * MIB);
    expect(missingBytes(plan)).toBe((500 + 512) * MIB);
    // One that holds all it declares, or of which nobody tells what it holds, is owed nothing.
    for (const settled of [{ ...kept, heldBytes: 1_000 * MIB }, server(lazy)])
      expect(planSwitch(wish([lazy, next], [settled], { reading })).memory.promisedBytes).toBeUndefined();
  });

  test("starts follow dependence, then importance; stops go the other way", () => {
    const base = llamaPreset("base", { memory: { vramMib: 100 }, priority: 1 });
    const top = llamaPreset("top", { memory: { vramMib: 100 }, dependsOn: ["base"], priority: 99 });
    const other = llamaPreset("other", { memory: { vramMib: 100 }, priority: 50 });
    const starting = planSwitch(wish([top, base, other], []));
    expect(starting.start.map(({ preset, after }) => [preset, after])).toEqual([
      ["other", []],
      ["base", []],
      ["top", ["base"]],
    ]);
    const stopping = planSwitch(wish([], [server(base), server(top), server(other)]));
    expect(stopping.stop.map(({ preset }) => preset)).toEqual(["top", "base", "other"]);
  });

  test("a need that nobody knows leaves the memory afterwards open", () => {
    const plan = planSwitch(wish([llamaPreset("new")], []));
    expect(plan.memory).not.toHaveProperty("freeAfterBytes");
  });
});

describe("sleep", () => {
  test("a server that can sleep does, when that frees enough", () => {
    const plan = planSwitch(wish([chat], [server(sleeper)], { reading: gpuReading(12) }));
    expect(plan.stop).toEqual([{ preset: "sleeper", how: "sleep", freesBytes: 8_000 * MIB }]);
    expect(plan.fits).toBe(true);
  });

  test("it is stopped when the rest that a sleeping server keeps would be in the way", () => {
    // 14,000 + 512 MiB are needed; 6,000 free and 8,000 by sleep are not enough, 10,000 by a stop are.
    const reading = gpuReading(0, { freeBytes: 6_000 * MIB });
    const plan = planSwitch(wish([chat], [server(sleeper)], { reading }));
    expect(plan.stop).toEqual([{ preset: "sleeper", how: "stop", freesBytes: 10_000 * MIB }]);
    expect(plan.fits).toBe(true);
  });

  test("it is stopped when what comes needs nobody knows how much", () => {
    expect(planSwitch(wish([llamaPreset("new")], [server(sleeper)])).stop[0]?.how).toBe("stop");
  });

  test("it is stopped when its preset has changed, or its port is wanted", () => {
    const old = server(sleeper, "ready", "sleeper-0");
    expect(planSwitch(wish([], [old])).stop[0]?.how).toBe("stop");
    const ported = vllmPreset("sleeper", { memory: { vramMib: 10_000 }, sleepLevel: 2, port: 9000 });
    const rival = llamaPreset("embedder", { memory: { vramMib: 2_500 }, port: 9000 });
    expect(planSwitch(wish([rival], [server(ported)])).stop[0]?.how).toBe("stop");
    expect(planSwitch(wish([embedder], [server(ported)])).stop[0]?.how).toBe("sleep");
  });

  test("level 1 needs host memory for the weights beside the watchdog's limit", () => {
    const first = vllmPreset("sleeper", { memory: { vramMib: 10_000 }, sleepLevel: 1 });
    // 8,000 MiB move; study 003's watchdog wants 8 GiB left.
    const at = (hostMib: number) =>
      planSwitch(
        wish([], [server(first)], {
          profile: STUDY_003_PROFILE,
          reading: gpuReading(10, { hostAvailableBytes: hostMib * MIB }),
        }),
      ).stop[0]?.how;
    expect(at(8_000 + 8_192)).toBe("sleep");
    expect(at(8_000 + 8_191)).toBe("stop");
  });

  test("a server that sleeps already is left alone, until what it keeps is in the way", () => {
    const asleep = [server(sleeper, "asleep")];
    expect(planSwitch(wish([chat], asleep)).stop).toEqual([]);
    // 14,512 MiB are needed, and a fifth of the sleeper's 10,000 comes free.
    const reading = gpuReading(0, { freeBytes: 13_000 * MIB });
    expect(planSwitch(wish([chat], asleep, { reading })).stop).toEqual([
      { preset: "sleeper", how: "stop", freesBytes: 2_000 * MIB },
    ]);
  });

  test("a sleeping server that is wanted wakes, and needs what it gave up", () => {
    const plan = planSwitch(wish([sleeper], [server(sleeper, "asleep")]));
    expect(plan.start).toEqual([{ preset: "sleeper", how: "wake", needsBytes: 8_000 * MIB, after: [] }]);
    expect(plan.stop).toEqual([]);
  });
});

test("what is missing is the needs and the margin beyond what will be free", () => {
  const at = (freeMib: number): number =>
    missingBytes(planSwitch(wish([chat], [], { reading: gpuReading(0, { freeBytes: freeMib * MIB }) })));
  expect(at(14_512)).toBe(0);
  expect(at(14_000)).toBe(512 * MIB);
  expect(missingBytes(planSwitch(wish([], [])))).toBe(0);
});

test("a plan that memory allows is refused by a check that failed, not by a warning", () => {
  const plan = planSwitch(wish([chat], []));
  const check = { id: "port", passed: false, message: "taken" } as const;
  expect(judgePlan(plan, [{ ...check, severity: "warning" }], []).fits).toBe(true);
  expect(judgePlan(plan, [{ ...check, severity: "error" }], []).fits).toBe(false);
});

describe("any wish", () => {
  const names = ["a", "b", "c", "d", "e"];
  const preset = fc.record({
    name: fc.constantFrom(...names),
    vramMib: fc.option(fc.integer({ min: 0, max: 20_000 })),
    priority: fc.integer({ min: 0, max: 3 }),
    sleeps: fc.boolean(),
    dependsOn: fc.subarray(names),
    hash: fc.constantFrom("1", "2"),
    state: fc.constantFrom<PresetState>(
      "stopped",
      "starting",
      "ready",
      "draining",
      "asleep",
      "stopping",
      "restarting",
      "failed",
    ),
  });
  const anyWish = fc
    .record({
      target: fc.uniqueArray(preset, { selector: ({ name }) => name }),
      running: fc.uniqueArray(preset, { selector: ({ name }) => name }),
      freeGib: fc.integer({ min: 0, max: 24 }),
    })
    .map(({ target, running, freeGib }) => {
      const made = ({ name, vramMib, priority, sleeps, dependsOn }: (typeof target)[number]): Preset => {
        const fields = {
          memory: vramMib === null ? {} : { vramMib },
          priority,
          // Only on names before it: the catalogue has no circles.
          dependsOn: dependsOn.filter((other) => other < name),
        };
        return sleeps ? vllmPreset(name, { ...fields, sleepLevel: 2 }) : llamaPreset(name, fields);
      };
      return wish(
        [],
        running.map((entry) => ({ preset: made(entry), hash: entry.hash, state: entry.state })),
        {
          target: target.map((entry) => ({ preset: made(entry), hash: entry.hash })),
          hashes: new Map(names.map((name) => [name, "1"])),
          reading: gpuReading(freeGib),
        },
      );
    });

  test("ends in exactly the wanted presets, keeps none that changed or does not serve, and is the same each time", () => {
    fc.assert(
      fc.property(anyWish, (any) => {
        const plan = planSwitch(any);
        const wanted = new Map(any.target.map((entry) => [entry.preset.name, entry.hash]));
        const now = new Map(any.running.map((entry) => [entry.preset.name, entry]));
        const after = [...plan.keep, ...plan.start.map(({ preset: name }) => name)];
        expect(after.toSorted()).toEqual([...wanted.keys()].toSorted());
        for (const name of plan.keep) {
          expect(now.get(name)?.hash).toBe(wanted.get(name));
          expect(["ready", "draining"]).toContain(now.get(name)?.state);
        }
        for (const { preset: name, how } of plan.start) {
          if (how === "wake")
            expect(now.get(name)).toMatchObject({ state: "asleep", hash: wanted.get(name) });
          // One that is here under this name, and is not woken, has been stopped before.
          else if (!["stopped", "failed", undefined].includes(now.get(name)?.state))
            expect(plan.stop).toContainEqual(expect.objectContaining({ preset: name, how: "stop" }));
        }
        for (const { preset: name } of plan.stop) expect(plan.keep).not.toContain(name);
        expect(
          planSwitch({ ...any, target: any.target.toReversed(), running: any.running.toReversed() }),
        ).toEqual(plan);
      }),
      { numRuns: 500 },
    );
  });

  test("starts nothing before what it rests on, and stops nothing before what rests on it", () => {
    fc.assert(
      fc.property(anyWish, (any) => {
        const plan = planSwitch(any);
        const starts = plan.start.map(({ preset: name }) => name);
        for (const { preset: name, after } of plan.start)
          for (const needed of after) expect(starts.indexOf(needed)).toBeLessThan(starts.indexOf(name));
        const stops = plan.stop.map(({ preset: name }) => name);
        for (const { preset: one } of any.running)
          for (const needed of one.dependsOn)
            if (stops.includes(one.name) && stops.includes(needed))
              expect(stops.indexOf(one.name)).toBeLessThan(stops.indexOf(needed));
      }),
    );
  });
});
