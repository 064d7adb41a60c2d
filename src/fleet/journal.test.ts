import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { paperPreset } from "../../test/fakes/paper-fleet.ts";
import { temporaryDirectory } from "../../test/fakes/temporary-directory.ts";
import { readFleetFile, writeFleetFile } from "./fleet-file.ts";
import type { JournalRecord } from "./journal.ts";
import { openJournal, readJournal, salvageServerIds } from "./journal.ts";
import { openStateDisk } from "./supervisor-disk.ts";

const BEGIN: JournalRecord = { kind: "begin", transaction: "transaction-1", mode: "coding", target: [] };
const START: JournalRecord = { kind: "start", preset: "coder", serverId: "server-1", port: 40_000 };

describe("the journal on a disk", () => {
  it("gives back what was appended, in order, in a file of its owner's alone", () => {
    const folder = temporaryDirectory();
    const disk = openStateDisk(folder);
    const journal = openJournal(disk);
    journal.append(BEGIN);
    journal.append(START);
    expect(readJournal(disk)).toEqual({ records: [BEGIN, START], torn: false });
    expect(statSync(join(folder, "journal.jsonl")).mode & 0o077).toBe(0);
    journal.rewrite([]);
    expect(readJournal(disk)).toEqual({ records: [], torn: false });
    expect(statSync(join(folder, "journal.jsonl")).mode & 0o077).toBe(0);
  });

  it("waits for the disk only where a power cut must take nothing", () => {
    const lasting: string[] = [];
    const disk = openStateDisk(temporaryDirectory());
    const journal = openJournal({
      ...disk,
      append: (name, text, until) => {
        lasting.push(`${JSON.parse(text).kind} outlives a ${until}`);
        disk.append(name, text, until);
      },
      replace: (name, text, until) => {
        lasting.push(`${text === "" ? "emptying" : "mending"} outlives a ${until}`);
        disk.replace(name, text, until);
      },
    });
    for (const record of [BEGIN, START, { kind: "put-back", step: "start", reason: "it fell" } as const])
      journal.append(record);
    journal.rewrite([BEGIN]);
    journal.rewrite([]);
    expect(lasting).toEqual([
      "begin outlives a power-cut",
      "start outlives a kill",
      "put-back outlives a power-cut",
      "mending outlives a power-cut",
      "emptying outlives a kill",
    ]);
  });

  it("takes a torn last line for a step that was not begun", () => {
    const folder = temporaryDirectory();
    const disk = openStateDisk(folder);
    openJournal(disk).append(BEGIN);
    appendFileSync(join(folder, "journal.jsonl"), '{"kind":"start","pre');
    expect(readJournal(disk)).toEqual({ records: [BEGIN], torn: true });
  });

  it("keeps what stood before a damaged line, and the text, so that its ids can be saved", () => {
    const folder = temporaryDirectory();
    const disk = openStateDisk(folder);
    openJournal(disk).append(BEGIN);
    appendFileSync(join(folder, "journal.jsonl"), `\u0000\n${JSON.stringify(START)}\n`);
    const read = readJournal(disk);
    expect(read.records).toEqual([BEGIN]);
    expect(salvageServerIds(read.damagedText ?? "")).toEqual(["server-1"]);
  });

  it("writes nothing into a folder that was deleted and made anew, perhaps by another supervisor", () => {
    const folder = join(temporaryDirectory(), "state");
    mkdirSync(folder);
    const disk = openStateDisk(folder);
    openJournal(disk).append(BEGIN);
    rmSync(folder, { recursive: true });
    expect(() => openJournal(disk).append(START)).toThrow("was deleted while its supervisor runs");
    mkdirSync(folder);
    const writes = [
      () => openJournal(disk).append(START),
      () => openJournal(disk).rewrite([]),
      () => disk.note("events.jsonl", "event\n", 100),
    ];
    for (const write of writes) expect(write).toThrow("was deleted and made anew");
    expect(readdirSync(folder)).toEqual([]);
  });

  it("says what stands in the way of writing", () => {
    const folder = temporaryDirectory();
    writeFileSync(join(folder, "file"), "");
    const disk = openStateDisk(join(folder, "file"));
    expect(() => disk.append("journal.jsonl", "x\n", "kill")).toThrow("cannot use");
    expect(() => disk.replace("fleet.json", "x\n", "kill")).toThrow("cannot use");
  });
});

describe("other files of the state directory", () => {
  it("keep a copy of what was damaged", () => {
    const folder = temporaryDirectory();
    const disk = openStateDisk(folder);
    disk.append("fleet.json", "not json", "kill");
    expect(readFleetFile(disk)).toEqual({ kind: "damaged", text: "not json" });
    // As a version before this one left it.
    chmodSync(join(folder, "fleet.json"), 0o644);
    expect(disk.setAside("fleet.json")).toBe("fleet.json.damaged-1");
    expect(statSync(join(folder, "fleet.json.damaged-1")).mode & 0o077).toBe(0);
    expect(disk.setAside("fleet.json")).toBe("fleet.json.damaged-2");
    expect(readFileSync(join(folder, "fleet.json.damaged-1"), "utf8")).toBe("not json");
  });

  it("keep their size: events beyond the limit begin a new file, the old one is kept once", () => {
    const folder = temporaryDirectory();
    const disk = openStateDisk(folder);
    for (let event = 1; event <= 7; event++) disk.note("events.jsonl", `event ${event}\n`, 20);
    expect(disk.read("events.jsonl")).toBe("event 7\n");
    expect(disk.read("events.jsonl.1")).toBe("event 5\nevent 6\n");
  });

  it("give back a fleet as it was written, to its owner alone: tokens stand in it", () => {
    const folder = temporaryDirectory();
    const disk = openStateDisk(folder);
    expect(readFleetFile(disk)).toEqual({ kind: "absent" });
    const preset = paperPreset("coder", 12);
    const file = {
      mode: "coding",
      lastTransaction: "transaction-1",
      servers: [
        {
          preset,
          hash: "abc",
          serverId: "server-1",
          as: "ready" as const,
          port: 40_000,
          identity: { pid: 7, startTicks: "70", bootId: "b" },
        },
      ],
      leftovers: [],
    };
    writeFleetFile(disk, file);
    expect(readFleetFile(disk)).toEqual({ kind: "read", file: { version: 1, ...file } });
    expect(statSync(join(folder, "fleet.json")).mode & 0o077).toBe(0);
  });
});
