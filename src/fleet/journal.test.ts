import { appendFileSync, readFileSync, statSync, writeFileSync } from "node:fs";
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

  it("says what stands in the way of writing", () => {
    const folder = temporaryDirectory();
    writeFileSync(join(folder, "file"), "");
    const disk = openStateDisk(join(folder, "file"));
    expect(() => disk.append("journal.jsonl", "x\n")).toThrow("cannot use");
    expect(() => disk.replace("fleet.json", "x\n")).toThrow("cannot use");
  });
});

describe("other files of the state directory", () => {
  it("keep a copy of what was damaged", () => {
    const folder = temporaryDirectory();
    const disk = openStateDisk(folder);
    disk.append("fleet.json", "not json");
    expect(readFleetFile(disk)).toEqual({ kind: "damaged", text: "not json" });
    expect(disk.setAside("fleet.json")).toBe("fleet.json.damaged-1");
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

  it("give back a fleet as it was written", () => {
    const disk = openStateDisk(temporaryDirectory());
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
  });
});
