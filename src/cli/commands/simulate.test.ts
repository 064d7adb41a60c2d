import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "../../../test/fakes/temporary-directory.ts";
import { VirtualClock } from "../../core/clock.ts";
import { KERNEL_PARAMETERS } from "../../predict/calibrate/kernel-parameters.ts";
import type { CliIo } from "../io.ts";
import { main } from "../main.ts";
import { STUDY_003_KERNELS } from "../simulate/stated-error.ts";

const SPIKE = fileURLToPath(new URL("../../../examples/capacity/capacity-spike.yaml", import.meta.url));
const QUESTIONS = fileURLToPath(
  new URL("../../../examples/capacity/context-or-residency.yaml", import.meta.url),
);
const LLAMA = ["--model", "llama-8b-q4", "--gpu", "rtx-4090"];
const GEMMA = ["--model", "gemma4-26b-a4b-q4", "--gpu", "rtx-4090", "--kernels", "study-003", "--kv", "q8_0"];

async function simulate(args: readonly string[], cwd = temporaryDirectory(), outColumns = 100) {
  const said = { out: "", err: "" };
  const io: CliIo = {
    out: (text) => {
      said.out += text;
    },
    err: (text) => {
      said.err += text;
    },
    errIsTerminal: false,
    outIsTerminal: false,
    outColumns,
    color: false,
    env: {},
    cwd,
    clock: new VirtualClock(),
    interrupted: new AbortController().signal,
  };
  return { exitCode: await main(["simulate", ...args], io), ...said };
}

interface Configuration {
  readonly name: string;
  readonly kind: string;
  readonly agents: readonly { readonly name: string }[];
  readonly reason?: string;
  readonly answersCut?: boolean;
  readonly evaluation?: { readonly aggregateTokensPerS: { readonly value: number; readonly low: number } };
  readonly roles?: { readonly all: { readonly turns: Readonly<Record<string, number>> } };
  readonly ledger: readonly { readonly item: string; readonly bytes: number }[];
}

interface Document {
  readonly configurations: readonly Configuration[];
  readonly knee?: { readonly kind: string; readonly slots: object };
  readonly error: { readonly meanShare?: number };
}

async function documentOf(args: readonly string[], cwd?: string): Promise<Document> {
  return JSON.parse((await simulate([...args, "--json"], cwd)).out) as Document;
}

function aggregate(document: Document): readonly (number | undefined)[] {
  return document.configurations.map(({ evaluation }) => evaluation?.aggregateTokensPerS.value);
}

/** A calibration of the constants of llama.cpp, with an error of its own. */
function calibrationFile(cwd: string): string {
  const group = { within: true, observations: 4, observedMs: 100, predictedMs: 104 };
  const calibration = {
    version: 1,
    key: { machine: "a workstation", model: "llama-8b", engine: "llama-server" },
    kernels: { name: "measured", weights: 0.7, kv: 0.4, compute: 0.6, attention: 0.2, stepOverheadNs: 1e6 },
    origins: Object.fromEntries(KERNEL_PARAMETERS.map((parameter) => [parameter, { kind: "fitted" }])),
    range: { sequences: 4, contextTokens: 16_384, totalContextTokens: 65_536 },
    leaveOneOut: {
      kind: "done",
      by: "cell",
      groups: [-4, 6, 14].map((errorPct, cell) => ({
        ...group,
        group: `cell ${cell}`,
        errorPct,
        absoluteErrorPct: 20,
      })),
    },
    observations: { prompts: 10, answers: 10 },
    leftOut: {},
    runs: ["20260101T100000Z-quick-aaaa"],
    simulated: false,
  };
  writeFileSync(join(cwd, "calibration.json"), JSON.stringify(calibration));
  return "calibration.json";
}

describe("slipway simulate", () => {
  it("answers for one configuration: the agents, what stops the next, the memory, and how wrong it may be", async () => {
    const preset = ["--preset", "gemma4-26b-a4b-q4-multi3-128k", "--gpu", "rtx-4090", "--mix", "TL,Dev,QA"];
    expect(await simulate([...preset, "--kernels", "study-003"])).toMatchSnapshot();
  });

  it("compares several: what fits, the front, the knee as a range, and what lacks how much", async () => {
    const sizes = ["--slots", "1,2,4,8", "--ctx", "16384,65536", "--kv", "q8_0", "--mix", "Dev,QA"];
    expect(await simulate([...LLAMA, ...sizes, "--need", "latency:Dev"], undefined, 120)).toMatchSnapshot();
  });

  it("simulates a study's configurations, each with its own agents, and names no best among different work", async () => {
    const cwd = temporaryDirectory();
    copyFileSync(SPIKE, join(cwd, "spike.yaml"));
    expect(await simulate(["spike.yaml", ...GEMMA, "--beside-mib", "2970"], cwd, 120)).toMatchSnapshot();
  });

  it("takes an answer that the context cuts for no fast answer", async () => {
    // 15,064 tokens of prompt leave 1,320 of the 8,000 that Dev writes.
    const sizes = [
      "--slots",
      "1",
      "--ctx",
      "16384,65536",
      "--mix",
      "Dev",
      "--need",
      "latency:Dev",
      "--runs",
      "1",
    ];
    const document = await documentOf([...LLAMA, ...sizes]);
    expect(document.configurations.map(({ answersCut }) => answersCut)).toEqual([true, false]);
    expect(document.knee).toMatchObject({
      kind: "found",
      contextTokensPerSlot: { low: 65_536, high: 65_536 },
    });
  });

  it("finds the knee of a study whose agents are the same everywhere", async () => {
    const { knee, configurations } = await documentOf([
      QUESTIONS,
      ...GEMMA,
      "--beside-mib",
      "2970",
      "--runs",
      "1",
    ]);
    expect(knee).toMatchObject({ kind: "found", slots: { low: 3, high: 3 } });
    expect(configurations.at(-1)).toMatchObject({ name: "3x256k", kind: "does-not-fit" });
  });

  it("says the same to the byte for the same seed, and something else for another", async () => {
    const args = [...LLAMA, "--mix", "Dev,QA", "--runs", "2", "--json"];
    const first = await simulate([...args, "--seed", "7"]);
    expect(await simulate([...args, "--seed", "7"])).toEqual(first);
    expect((await simulate([...args, "--seed", "8"])).out).not.toBe(first.out);
  });

  it("lets more agents queue than there are slots, and fills a list of slots with the roles in turn", async () => {
    const names = async (slots: string) =>
      (
        await documentOf([...LLAMA, "--mix", "Dev,QA,TL", "--slots", slots, "--runs", "1"])
      ).configurations.map(({ agents }) => agents.map(({ name }) => name).join());
    expect(await names("1")).toEqual(["Dev,QA,TL"]);
    expect(await names("2,4")).toEqual(["Dev-1,QA-1", "Dev-1,QA-1,TL-1,Dev-2"]);
  });

  it("gives batching more than threads that take turns, and those no more than one request at a time", async () => {
    const rates = await Promise.all(
      ["llama-server", "time-shared", "ollama"].map(async (engine) => {
        const slots = engine === "ollama" ? "1" : "4";
        const args = [...LLAMA, "--engine", engine, "--slots", slots, "--mix", "4xResearch", "--runs", "1"];
        const [rate] = aggregate(await documentOf(args));
        return rate ?? 0;
      }),
    );
    const [batched = 0, turns = 0, single = 0] = rates;
    expect(batched).toBeGreaterThan(1.5 * turns);
    expect(turns / single).toBeLessThan(1.02);
    expect(turns / single).toBeGreaterThan(0.9);
  });

  it("ends turns when a cache that all slots share is full, and says so", async () => {
    const small = ["--slots", "4", "--ctx", "8192", "--mix", "4xDev", "--unified-kv", "--runs", "1"];
    const { configurations } = await documentOf([...LLAMA, ...small]);
    expect(configurations[0]).toMatchObject({ kind: "not-simulated" });
    const { configurations: larger } = await documentOf([...LLAMA, ...small.with(3, "16384")]);
    expect(larger[0]?.roles?.all.turns["failed"]).toBeGreaterThan(0);
  });

  it("widens its intervals by a calibration's error, and predicts nothing beyond its range", async () => {
    const cwd = temporaryDirectory();
    const args = [
      ...LLAMA,
      "--slots",
      "2,4,8",
      "--ctx",
      "16384",
      "--calibration",
      calibrationFile(cwd),
      "--runs",
      "1",
    ];
    const { configurations, error } = await documentOf(args, cwd);
    expect(error.meanShare).toBeCloseTo(0.08, 12);
    expect(configurations.map(({ kind }) => kind)).toEqual(["simulated", "simulated", "not-simulated"]);
    const { value = 0, low = 0 } = configurations[0]?.evaluation?.aggregateTokensPerS ?? {};
    expect(low / value).toBeCloseTo(0.92, 12);
    expect(configurations[2]?.reason).toContain("8 sequences at once: the calibration reaches 4");
    expect(await simulate(args, cwd)).toMatchSnapshot();
  });

  it("counts memory that somebody else holds, and a card that is described by its figures", async () => {
    const described = [
      "--model",
      "llama-8b-q4",
      "--bandwidth-gb-s",
      "500",
      "--memory-gib",
      "16",
      "--runs",
      "1",
    ];
    const { configurations } = await documentOf([...described, "--beside-mib", "1000"]);
    const tenants = configurations[0]?.ledger.filter(({ item }) => item === "co-tenant");
    expect(tenants?.map(({ bytes }) => bytes)).toEqual([1000 * 2 ** 20]);
    // One agent of twice the bandwidth is faster, and less than twice: prompts are multiplied.
    const [half = 0] = aggregate(await documentOf(described));
    const [whole = 0] = aggregate(await documentOf(described.with(3, "1000")));
    expect(whole / half).toBeGreaterThan(1.5);
    expect(whole / half).toBeLessThan(2);
  });

  it("exits 3 when nothing fits, and says what would", async () => {
    const large = ["--model", "llama-8b-q4", "--gpu", "rtx-3060", "--slots", "4", "--ctx", "131072"];
    expect(await simulate(large)).toMatchSnapshot();
  });

  it("says of published measurements how far they are met, and exits 1 for what is not", async () => {
    const said = await simulate(["--validate"], undefined, 110);
    expect(said).toMatchSnapshot();
    // The constants that ship are those that the fit finds.
    const { weights, sequenceNs = 0 } = STUDY_003_KERNELS;
    expect(said.out.replaceAll("\n", " ")).toContain(
      `weights are read at ${(100 * weights).toFixed(1)} % of the card's bandwidth, and each sequence of a step costs ${(sequenceNs / 1e6).toFixed(2)} ms`,
    );
  });

  it.each([
    { args: [], code: "FLAG_INVALID", received: "nothing" },
    { args: ["--model", "nope", "--gpu", "l4"], code: "FILE_NOT_FOUND", received: "nope" },
    { args: ["--preset", "nope", "--gpu", "l4"], code: "PRESET_UNKNOWN", received: "nope" },
    {
      args: ["--preset", "vllm-embedding-code", "--gpu", "l4"],
      code: "ENGINE_UNSUPPORTED",
      received: "vllm",
    },
    { args: ["--model", "gemma3", "--gpu", "rtx"], code: "FLAG_INVALID", received: "rtx" },
    { args: [...LLAMA, "--kernels", "tgi"], code: "FLAG_INVALID", received: "tgi" },
    { args: [...LLAMA, "--engine", "vllm"], code: "FLAG_INVALID", received: "vllm" },
    { args: [...LLAMA, "--slots", "0"], code: "FLAG_INVALID", received: "0" },
    { args: [...LLAMA, "--jitter", "-1"], code: "FLAG_INVALID", received: "-1" },
    { args: [...LLAMA, "--memory-gib", "x"], code: "FLAG_INVALID", received: "x" },
    { args: [...LLAMA, "--mix", "Nobody"], code: "ROLE_UNKNOWN", received: "Nobody" },
    { args: [SPIKE, ...LLAMA, "--mix", "Dev"], code: "FLAG_INVALID", received: "Dev" },
    { args: ["nothing.yaml", ...LLAMA], code: "FILE_NOT_FOUND", received: "nothing.yaml" },
    { args: [...LLAMA, "--calibration", "none.json"], code: "FILE_NOT_FOUND", received: "none.json" },
  ])("refuses $args with $code", async ({ args, code, received }) => {
    const { exitCode, out, err } = await simulate(args);
    expect(exitCode).toBeGreaterThanOrEqual(2);
    expect(out).toBe("");
    expect(err).toContain(`error ${code}:`);
    expect(err).toContain(received);
  });

  it("refuses a file that is no calibration, and constants beside one", async () => {
    const cwd = temporaryDirectory();
    writeFileSync(join(cwd, "text.json"), "not json");
    writeFileSync(join(cwd, "other.json"), '{"version":1}');
    for (const file of ["text.json", "other.json"])
      expect((await simulate([...LLAMA, "--calibration", file], cwd)).err).toContain(
        "error CALIBRATION_INVALID",
      );
    const both = [...LLAMA, "--calibration", calibrationFile(cwd), "--kernels", "vllm"];
    expect((await simulate(both, cwd)).err).toContain("error FLAG_INVALID: --kernels");
  });
});
