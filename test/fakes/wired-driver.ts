/**
 * The fake driver in mode `ledger`, answered by the test itself over a loopback port: the program
 * `nvidia-smi` is a few lines of shell. To start node for every reading would be most of the work of
 * a test with hundreds of switches.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { type Claim, readClaims } from "./memory-ledger.mjs";

const BYTES_PER_MIB = 1_048_576;

export interface WiredDriver {
  /** To stand first in the PATH. */
  readonly programs: string;
  /** Where servers claim memory. */
  readonly claims: string;
  close(): void;
}

export interface WiredCard {
  readonly totalMib: number;
  /** What ended holds its memory for so long. */
  readonly releaseMs: number;
}

/** Below this folder, which is there already. */
export async function startWiredDriver(
  folder: string,
  { totalMib, releaseMs }: WiredCard,
): Promise<WiredDriver> {
  const programs = join(folder, "driver");
  const claims = join(folder, "claims");
  mkdirSync(programs);
  mkdirSync(claims);
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    let asked = "";
    socket.on("error", () => undefined);
    socket.on("data", (bytes: Buffer) => {
      asked += bytes.toString();
      if (asked.endsWith("\n")) socket.end(answer(asked, readClaims(claims, releaseMs), totalMib));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  writeFileSync(join(programs, "nvidia-smi"), program(port), { mode: 0o755 });
  return { programs, claims, close: () => void server.close() };
}

function program(port: number): string {
  return [
    "#!/usr/bin/env bash",
    `exec 3<>/dev/tcp/127.0.0.1/${port} || exit 9`,
    `printf '%s\\n' "$*" >&3`,
    `while IFS= read -r line <&3; do printf '%s\\n' "$line"; done`,
    "",
  ].join("\n");
}

function answer(asked: string, claims: readonly Claim[], totalMib: number): string {
  const mibOf = ({ bytes }: Claim): number => Math.ceil(bytes / BYTES_PER_MIB);
  if (asked.includes("--query-compute-apps"))
    return claims.map((claim) => `${claim.pid}, ${mibOf(claim)}, fake-llm-server\n`).join("");
  const usedMib = claims.reduce((sum, claim) => sum + mibOf(claim), 0);
  const known: Readonly<Record<string, string | number>> = {
    index: 0,
    name: "NVIDIA GeForce RTX 4090",
    uuid: "GPU-0f3a9c51-7e24-4bb1-9d0e-000000000000",
    driver_version: "550.127.05",
    compute_cap: "8.9",
    "memory.total": totalMib,
    "memory.used": usedMib,
    "memory.free": Math.max(0, totalMib - usedMib),
  };
  const fields = /--query-gpu=(\S+)/.exec(asked)?.[1]?.split(",") ?? [];
  return `${fields.map((field) => known[field] ?? "[N/A]").join(", ")}\n`;
}
