/** Runs a command within the test's own process and keeps what it said. */
import { VirtualClock } from "../../src/core/clock.ts";
import type { CliIo } from "../../src/cli/io.ts";
import { main } from "../../src/cli/main.ts";

export interface Said {
  readonly exitCode: number;
  readonly out: string;
  readonly err: string;
}

export interface Spoken {
  out: string;
  err: string;
}

export function spokenIo(facts: Partial<CliIo> = {}): { readonly io: CliIo; readonly spoken: Spoken } {
  const spoken: Spoken = { out: "", err: "" };
  const io: CliIo = {
    out: (text) => {
      spoken.out += text;
    },
    err: (text) => {
      spoken.err += text;
    },
    errIsTerminal: false,
    outIsTerminal: false,
    outColumns: 80,
    color: false,
    env: {},
    cwd: "/",
    clock: new VirtualClock(),
    interrupted: new AbortController().signal,
    ...facts,
  };
  return { io, spoken };
}

export async function say(args: readonly string[], facts: Partial<CliIo> = {}): Promise<Said> {
  const { io, spoken } = spokenIo(facts);
  const exitCode = await main(args, io);
  return { exitCode, ...spoken };
}
