/** Lending the machine: what ran before comes back, however a loan ends. */
import { describe, expect, it } from "vitest";
import { Killed, paperFleet, paperPreset } from "../../test/fakes/paper-fleet.ts";
import { CODING_CATALOGUE, alive, coding, passSeconds, states } from "../../test/fakes/paper-modes.ts";
import type { ServerScript } from "../../test/fakes/paper-world.ts";
import { BYTES_PER_GIB } from "../core/units.ts";
import type { LoanTrouble } from "./loan.ts";

const PROBE = paperPreset("probe-2x8192", 18);
const OTHER = paperPreset("probe-4x8192", 20);

const quiet = (): void => undefined;

describe("a loan", () => {
  it("runs what its borrower asks for, and then what ran before, in its mode", async () => {
    const fleet = await coding();
    const { run, supervisor, machine } = fleet;
    const loan = await run(supervisor.borrow("capacity of probe", quiet));
    expect((await run(loan.use([]))).outcome).toBe("committed");
    expect(alive(machine)).toEqual([]);
    expect((await run(loan.use([PROBE]))).runs).toEqual(["probe-2x8192"]);
    expect((await run(loan.use([OTHER]))).runs).toEqual(["probe-4x8192"]);
    expect(await run(supervisor.status())).toMatchObject({ lentTo: "capacity of probe" });
    const report = await run(loan.giveBack());
    expect(report).toMatchObject({ outcome: "committed", mode: "coding", runs: ["coder", "embed"] });
    expect(alive(machine)).toEqual(["coder", "embed"]);
    expect(await run(supervisor.status())).not.toHaveProperty("lentTo");
    expect(machine.violations).toEqual([]);
  });

  it("keeps a co-tenant running without a restart when the borrower names it", async () => {
    const fleet = await coding();
    const { run, supervisor, machine } = fleet;
    const embed = machine.alive.find(({ preset }) => preset.name === "embed");
    const loan = await run(supervisor.borrow("capacity of probe", quiet));
    const preset = CODING_CATALOGUE.presets.get("embed")?.preset;
    await run(loan.use(preset === undefined ? [] : [preset, PROBE]));
    expect(machine.alive).toContain(embed);
    await run(loan.giveBack());
    expect(machine.alive).toContain(embed);
  });

  it("refuses every other change by the name of its borrower, and other loans", async () => {
    const { run, supervisor } = await coding();
    const loan = await run(supervisor.borrow("capacity of probe", quiet));
    const message = "the machine is lent to capacity of probe";
    await expect(run(supervisor.switchMode("research"))).rejects.toMatchObject({
      code: "FLEET_LENT",
      message,
    });
    await expect(run(supervisor.startPreset("reader"))).rejects.toMatchObject({ code: "FLEET_LENT" });
    await expect(run(supervisor.borrow("another", quiet))).rejects.toMatchObject({ code: "FLEET_LENT" });
    await run(loan.giveBack());
    await expect(run(loan.use([PROBE]))).rejects.toMatchObject({ code: "LOAN_OVER" });
    expect((await run(supervisor.switchMode("research"))).outcome).toBe("committed");
  });

  it("puts back what its last use left when a start fails, and what ran before at its end", async () => {
    const scripts: Record<string, ServerScript> = { "probe-4x8192": { start: "out-of-memory" } };
    const { run, supervisor, machine } = await coding(scripts);
    const loan = await run(supervisor.borrow("capacity of probe", quiet));
    await run(loan.use([]));
    const report = await run(loan.use([OTHER]));
    expect(report).toMatchObject({ outcome: "rolled-back", failure: { code: "GPU_OUT_OF_MEMORY" } });
    expect(alive(machine)).toEqual([]);
    await run(loan.giveBack());
    expect(alive(machine)).toEqual(["coder", "embed"]);
  });

  it("tells its borrower of a server that fell, and does not start it again", async () => {
    const fleet = await coding();
    const { run, supervisor, machine } = fleet;
    const troubles: LoanTrouble[] = [];
    const loan = await run(supervisor.borrow("capacity of probe", (trouble) => troubles.push(trouble)));
    await run(loan.use([PROBE]));
    machine.alive.find(({ preset }) => preset.name === PROBE.name)?.end({ signal: "SIGSEGV" });
    await passSeconds(fleet, machine, 30);
    expect(troubles).toMatchObject([{ kind: "server-lost", preset: PROBE.name }]);
    expect((await states(fleet))[PROBE.name]).toBe("failed");
    expect((await run(loan.use([OTHER]))).outcome).toBe("committed");
    await run(loan.giveBack());
    expect(alive(machine)).toEqual(["coder", "embed"]);
  });

  it("tells its borrower that memory runs short before the server goes, and that it went", async () => {
    const fleet = await coding();
    const { run, supervisor, machine } = fleet;
    const troubles: LoanTrouble[] = [];
    const loan = await run(supervisor.borrow("capacity of probe", (trouble) => troubles.push(trouble)));
    await run(loan.use([PROBE]));
    machine.hostAvailableBytes = 1.5 * BYTES_PER_GIB;
    await passSeconds(fleet, machine, 21);
    expect(troubles).toHaveLength(1);
    expect(troubles[0]).toMatchObject({ kind: "memory-short" });
    expect(troubles[0]?.message).toContain("host memory available 1536 MiB");
    expect((await run(supervisor.status())).memory.short).toBe(true);
    await passSeconds(fleet, machine, 15);
    expect(troubles.at(-1)).toEqual({
      kind: "server-lost",
      preset: PROBE.name,
      message: "stopped because memory ran short",
    });
    machine.hostAvailableBytes = 64 * BYTES_PER_GIB;
    await passSeconds(fleet, machine, 60);
    expect((await run(supervisor.status())).memory.short).toBeUndefined();
    await run(loan.giveBack());
    expect(alive(machine)).toEqual(["coder", "embed"]);
  });

  it("ends a switch under way when it is given back", async () => {
    const fleet = await coding({ [PROBE.name]: { loadMs: 2_500 } });
    const { run, supervisor, machine } = fleet;
    const loan = await run(supervisor.borrow("capacity of probe", quiet));
    await run(loan.use([]));
    const use = loan.use([PROBE]);
    await passSeconds(fleet, machine, 1);
    await run(loan.giveBack());
    expect(await run(use)).toMatchObject({ outcome: "rolled-back", failure: { code: "SWITCH_ABORTED" } });
    expect(alive(machine)).toEqual(["coder", "embed"]);
  });

  it("is over when the supervisor ends: its servers with it, or what ran before left running", async () => {
    const one = await coding();
    const loan = await one.run(one.supervisor.borrow("capacity of probe", quiet));
    await one.run(loan.use([PROBE]));
    await one.run(one.supervisor.shutdown("keep"));
    expect(alive(one.machine)).toEqual(["coder", "embed"]);
    expect(loan.over.aborted).toBe(true);

    const other = await coding();
    const second = await other.run(other.supervisor.borrow("capacity of probe", quiet));
    await other.run(second.use([PROBE]));
    await other.run(other.supervisor.shutdown("stop"));
    expect(alive(other.machine)).toEqual([]);
  });

  it("leaves what ran before to the next supervisor, wherever its own was killed", async () => {
    let uncut = 0;
    for (let touch = 1; uncut === 0; touch++) {
      for (const when of ["before", "after"] as const) {
        const { machine, run: runFirst, supervisor: first } = await coding();
        await runFirst(first.shutdown("keep"));
        const { hand, supervisor, run } = paperFleet(machine, () => CODING_CATALOGUE, {
          atTouch: touch,
          when,
        });
        const lend = async (): Promise<void> => {
          await supervisor.begin();
          const loan = await supervisor.borrow("capacity of probe", quiet);
          await loan.use([]);
          await loan.use([PROBE]);
          await loan.giveBack();
        };
        await run(lend()).catch((thrown: unknown) => expect(thrown).toBeInstanceOf(Killed));
        if (hand.touches < touch) uncut = touch;
        hand.killSupervisor();
        const next = paperFleet(machine, () => CODING_CATALOGUE);
        await next.run(next.supervisor.begin());
        expect([touch, when, alive(machine)]).toEqual([touch, when, ["coder", "embed"]]);
        expect((await next.run(next.supervisor.status())).mode).toBe("coding");
        expect(machine.violations).toEqual([]);
      }
    }
    expect(uncut).toBeGreaterThan(50);
  });
});
