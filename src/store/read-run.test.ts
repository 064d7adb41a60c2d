import { appendFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  sampleChunks,
  sampleEvent,
  sampleManifest,
  sampleRequest,
  sampleTelemetry,
  sampleTrial,
} from "../../test/fakes/sample-records.ts";
import { temporaryDirectory } from "../../test/fakes/temporary-directory.ts";
import { VirtualClock } from "../core/clock.ts";
import type { OperatorError } from "../core/errors.ts";
import { MAX_RECORD_LINE_BYTES } from "../core/limits.ts";
import type { RunSource } from "../record/run-source.ts";
import { readRun, readSummary } from "./read-run.ts";
import { createRunDirectory, openRunDirectory } from "./run-directory.ts";

const clock = new VirtualClock();

/** A finished run of one together trial with three requests. */
function finishedRun(): string {
  const writer = createRunDirectory({
    runsDir: temporaryDirectory(),
    manifest: sampleManifest(),
    durable: false,
    clock,
  });
  for (const position of [0, 1, 2]) {
    const request = sampleRequest({ position });
    writer.request(request, sampleChunks(request.requestId));
  }
  writer.trial(sampleTrial());
  writer.event(sampleEvent());
  writer.telemetry(sampleTelemetry());
  writer.close("complete");
  return writer.path;
}

function readEverything(run: RunSource): readonly string[] {
  const seen: string[] = [];
  run.eachRequest((request, membership) => seen.push(`${request.requestId} ${membership}`));
  run.eachChunk(() => undefined);
  run.eachEvent(() => undefined);
  run.eachTelemetrySample(() => undefined);
  return seen;
}

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (thrown) {
    return (thrown as OperatorError).code;
  }
  return "no error";
}

const CALM = ["0", "1", "2"].map((position) => `5f0c1d2e-r0-together/collector/${position} finished`);

describe("the end of a file", () => {
  test("may be torn: the rest is read and the notice names the line", () => {
    const path = finishedRun();
    appendFileSync(join(path, "requests.jsonl"), JSON.stringify(sampleRequest()).slice(0, 100));
    const run = readRun(path);
    expect(readEverything(run)).toEqual(CALM);
    readEverything(run);
    expect(run.notices).toEqual([
      {
        kind: "torn-line",
        file: "requests.jsonl",
        line: 4,
        message: "the last line of requests.jsonl was cut off while it was written, and is left out",
      },
    ]);
  });

  test("may lack only its newline: then the last line is a record like any other", () => {
    const path = finishedRun();
    const file = join(path, "requests.jsonl");
    writeFileSync(file, readFileSync(file, "utf8").trimEnd());
    const run = readRun(path);
    expect(readEverything(run)).toEqual(CALM);
    expect(run.notices).toEqual([]);
  });

  test("may be zeros, as a power cut leaves them", () => {
    const path = finishedRun();
    appendFileSync(join(path, "trials.jsonl"), Buffer.alloc(4096));
    expect(readRun(path).trials).toHaveLength(1);
    expect(readRun(path).notices).toMatchObject([{ kind: "torn-line", file: "trials.jsonl", line: 2 }]);
  });
});

describe("damage in the middle", () => {
  /** The same lines as requests 10, 11 and 12: a request has one line. */
  const later = (whole: Buffer): Buffer =>
    Buffer.from(whole.toString("utf8").replaceAll("/collector/", "/collector/1"));
  const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
  const request = JSON.stringify(sampleRequest());
  const damages: [string, string, string | Buffer, string][] = [
    ["garbage", "requests.jsonl", "<<<<<<< ours", "not JSON"],
    ["two records on one line", "requests.jsonl", request + request, "not JSON"],
    [
      "bytes that are no text",
      "requests.jsonl",
      Buffer.from([0x22, 0xff, 0xfe, 0x00, 0x22]),
      "not UTF-8 text",
    ],
    ["deep nesting", "requests.jsonl", deep, "a request must be an object"],
    ["a bare value", "chunks.jsonl", "null", "a chunk line must be an object"],
    [
      "a wrong type",
      "requests.jsonl",
      request.replace('"endNs":111400000', '"endNs":"soon"'),
      "endNs must be a finite number",
    ],
    [
      "a number beyond all numbers",
      "requests.jsonl",
      request.replace('"output":4', '"output":1e999'),
      "output must be a finite number or absent",
    ],
    [
      "an outcome that does not exist",
      "requests.jsonl",
      request.replace('"kind":"ok"', '"kind":"fine"'),
      "outcome.kind must be ok, cancelled or failed",
    ],
    ["a missing field", "trials.jsonl", '{"v":1}', "agents must be a list of texts"],
    [
      "a list of the wrong things",
      "chunks.jsonl",
      '{"v":1,"requestId":"a","firstNs":1,"gapsUs":[null]}',
      "gapsUs must be a list of numbers",
    ],
    [
      "deep event data",
      "events.jsonl",
      `{"atNs":1,"kind":"k","message":"m","data":{"a":${deep}}}`,
      "data nests deeper than 64 levels",
    ],
    ["a wrong sample", "telemetry.jsonl", '{"atNs":1,"gpus":[7]}', "gpus must be a list of objects"],
  ];

  test.each(damages)("by %s in %s names file, line and rule", (_, file, line, rule) => {
    const path = finishedRun();
    const whole = readFileSync(join(path, file));
    writeFileSync(
      join(path, file),
      Buffer.concat([whole, Buffer.from(line), Buffer.from("\n"), later(whole)]),
    );
    const number = whole.toString("latin1").split("\n").length;
    expect(() => readEverything(readRun(path))).toThrow(
      expect.objectContaining({
        code: "RUN_DAMAGED",
        message: `line ${number} of ${join(path, file)} is damaged`,
        received: rule,
        nextStep: expect.stringContaining("--skip-damaged") as string,
      }),
    );
    const skipping = readRun(path, { skipDamaged: true });
    readEverything(skipping);
    expect(skipping.notices).toEqual([
      {
        kind: "damaged-line",
        file,
        line: number,
        message: `line ${number} of ${file} is damaged and left out: ${rule}`,
      },
    ]);
  });

  test("by a line longer than the limit is told apart from what stands around it", () => {
    const path = finishedRun();
    const file = join(path, "requests.jsonl");
    const whole = readFileSync(file);
    const huge = Buffer.alloc(2 * MAX_RECORD_LINE_BYTES + 5, "x");
    writeFileSync(file, Buffer.concat([whole, huge, Buffer.from("\n"), later(whole)]));
    expect(codeOf(() => readEverything(readRun(path)))).toBe("RUN_DAMAGED");
    const run = readRun(path, { skipDamaged: true });
    expect(readEverything(run)).toEqual([
      ...CALM,
      ...CALM.map((line) => line.replace("/collector/", "/collector/1")),
    ]);
    expect(run.notices).toMatchObject([{ kind: "damaged-line", line: 4 }]);
  });

  test("by a record file that is gone is a notice", () => {
    const path = finishedRun();
    rmSync(join(path, "telemetry.jsonl"));
    const run = readRun(path);
    readEverything(run);
    expect(run.notices).toMatchObject([{ kind: "missing-file", file: "telemetry.jsonl" }]);
  });
});

describe("a format this program does not know", () => {
  test.each(["requests.jsonl", "trials.jsonl", "chunks.jsonl"])("is refused in %s", (file) => {
    const path = finishedRun();
    writeFileSync(join(path, file), readFileSync(join(path, file), "utf8").replaceAll('"v":1', '"v":2'));
    expect(() => readEverything(readRun(path, { skipDamaged: true }))).toThrow(
      expect.objectContaining({ code: "RUN_VERSION_UNKNOWN", received: 2 }),
    );
  });

  test("is refused in the manifest and the summary, with the version found", () => {
    const path = finishedRun();
    writeFileSync(join(path, "summary.json"), '{"version":9}');
    expect(codeOf(() => readSummary(path))).toBe("RUN_VERSION_UNKNOWN");
    writeFileSync(join(path, "manifest.json"), '{"formatVersion":"next"}');
    expect(() => readRun(path)).toThrow(
      expect.objectContaining({ code: "RUN_VERSION_UNKNOWN", received: "next" }),
    );
  });
});

describe("a manifest", () => {
  test.each([
    ["nothing", ""],
    ["half of one", JSON.stringify(sampleManifest()).slice(0, 200)],
    ["another document", "[]"],
    ["one with a wrong type", JSON.stringify({ ...sampleManifest(), seed: "lucky" })],
    [
      "one that nests too deep",
      JSON.stringify(sampleManifest()).replace(
        '"spec":{',
        `"spec":{"a":${"[".repeat(9000)}${"]".repeat(9000)},`,
      ),
    ],
  ])("that is %s is damage, not a crash", (_, text) => {
    const path = finishedRun();
    writeFileSync(join(path, "manifest.json"), text);
    expect(codeOf(() => readRun(path))).toBe("RUN_DAMAGED");
  });

  test("that is missing means there is no run", () => {
    expect(codeOf(() => readRun(temporaryDirectory()))).toBe("FILE_NOT_FOUND");
  });

  test("keeps fields of a later version when it is rewritten", () => {
    const path = finishedRun();
    const manifest = JSON.parse(readFileSync(join(path, "manifest.json"), "utf8")) as object;
    writeFileSync(join(path, "manifest.json"), JSON.stringify({ ...manifest, laterField: 1 }));
    openRunDirectory({ path, durable: false, clock }).close("complete");
    expect(JSON.parse(readFileSync(join(path, "manifest.json"), "utf8"))).toMatchObject({ laterField: 1 });
  });
});

describe("requests of trials that did not finish", () => {
  test("are kept and marked", () => {
    const path = finishedRun();
    rmSync(join(path, "trials.jsonl"));
    writeFileSync(join(path, "trials.jsonl"), `${JSON.stringify(sampleTrial({ status: "interrupted" }))}\n`);
    const run = readRun(path);
    expect(run.trials).toMatchObject([{ status: "interrupted" }]);
    expect(readEverything(run)).toEqual(CALM.map((line) => line.replace("finished", "unfinished")));
    expect(run.notices).toMatchObject([
      {
        kind: "unfinished-trial",
        message: "3 requests belong to trials that were cut short; they are kept and enter no figure",
      },
    ]);
  });

  test("stay marked when a resume runs the trial again under the same name", () => {
    const runsDir = temporaryDirectory();
    const first = createRunDirectory({ runsDir, manifest: sampleManifest(), durable: false, clock });
    const write = (writer: typeof first, trialId: string, position: number): void => {
      const request = sampleRequest({ trialId, position });
      writer.request(request, sampleChunks(request.requestId));
    };
    write(first, "done", 0);
    first.trial(sampleTrial({ trialId: "done", repeat: 0 }));
    write(first, "cut", 0);
    write(first, "cut", 1);
    first.close("interrupted");
    const second = openRunDirectory({ path: first.path, durable: false, clock });
    write(second, "cut", 0);
    second.trial(sampleTrial({ trialId: "cut", repeat: 1 }));
    second.close("complete");

    const run = readRun(first.path);
    expect(readEverything(run)).toEqual([
      "done/collector/0 finished",
      "cut/collector/0 unfinished",
      "cut/collector/1 unfinished",
      "cut/collector/0 finished",
    ]);
    const chunks: string[] = [];
    run.eachChunk((_, membership) => chunks.push(membership));
    expect(chunks).toEqual(["finished", "unfinished", "unfinished", "finished"]);
    expect(run.trials.map((trial) => trial.trialId)).toEqual(["done", "cut"]);
  });

  test("are replaced by the attempt that completed, whichever line comes last", () => {
    const path = finishedRun();
    const line = (status: "complete" | "interrupted", order: number): string =>
      `${JSON.stringify(sampleTrial({ status, order }))}\n`;
    writeFileSync(
      join(path, "trials.jsonl"),
      line("interrupted", 0) + line("complete", 1) + line("interrupted", 2),
    );
    expect(readRun(path).trials).toMatchObject([{ status: "complete", order: 1 }]);
  });
});

describe("lines that cannot be true", () => {
  const tampered = (
    edit: (lines: readonly string[]) => readonly string[],
    file = "requests.jsonl",
  ): RunSource => {
    const path = join(finishedRun(), file);
    const lines = readFileSync(path, "utf8").trimEnd().split("\n");
    writeFileSync(path, `${edit(lines).join("\n")}\n`);
    return readRun(join(path, ".."));
  };
  /** The same line with one of its stamps or counts replaced. */
  const altered = (line: string, part: "stamps" | "tokens", field: string, value: number): string => {
    const record = JSON.parse(line) as Record<string, Record<string, unknown>>;
    return JSON.stringify({ ...record, [part]: { ...record[part], [field]: value } });
  };
  const told = (run: RunSource): readonly string[] =>
    run.notices.filter(({ kind }) => kind === "impossible-line").map(({ message }) => message);

  test("a request whose time goes backwards is left out with its chunks, and its line is named", () => {
    const run = tampered((lines) =>
      lines.map((line, at) => (at === 1 ? altered(line, "stamps", "endNs", -5) : line)),
    );
    const chunks: string[] = [];
    expect(readEverything(run)).toEqual([CALM[0], CALM[2]]);
    run.eachChunk(({ requestId }) => chunks.push(requestId.split("/").at(-1) ?? ""));
    expect(chunks).toEqual(["0", "2"]);
    expect(told(run)).toEqual([
      "requests.jsonl has lines that cannot be true, and they are left out: line 2 (endNs comes before sentNs)",
    ]);
  });

  test("counts beyond every limit are left out", () => {
    const run = tampered(([first = "", ...others]) => [altered(first, "tokens", "output", 9e15), ...others]);
    expect(readEverything(run)).toEqual(CALM.slice(1));
    expect(told(run)[0]).toContain("line 1 (tokens.output is not between 0 and 10000000)");
  });

  test("the second line of a request counts nothing twice, however often the files are read", () => {
    const twice = (lines: readonly string[]) => lines.flatMap((line) => [line, line]);
    const run = tampered(twice);
    expect(readEverything(run)).toEqual(CALM);
    expect(readEverything(run)).toEqual(CALM);
    expect(told(run)).toEqual([
      "requests.jsonl has lines that cannot be true, and they are left out: lines 2, 4, 6 (the request has a line already)",
    ]);
    let chunks = 0;
    tampered(twice, "chunks.jsonl").eachChunk(() => chunks++);
    expect(chunks).toBe(3);
  });

  test("of a long list of lines the first are named and the others counted", () => {
    const run = tampered((lines) => Array.from({ length: 8 }, () => lines[0] ?? ""));
    expect(readEverything(run)).toEqual([CALM[0]]);
    expect(told(run)[0]).toContain("lines 2, 3, 4, 5, 6 and 2 more (the request has a line already)");
  });

  test("a trial that ends before it begins is no trial", () => {
    const run = tampered(
      (lines) => lines.map((line) => JSON.stringify({ ...(JSON.parse(line) as object), endNs: -1 })),
      "trials.jsonl",
    );
    expect(run.trials).toEqual([]);
    expect(told(run)[0]).toContain(
      "trials.jsonl has lines that cannot be true, and they are left out: line 1",
    );
  });
});
