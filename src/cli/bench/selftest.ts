import type { CliIo, ExitCode } from "../io.ts";
import type { RawBenchFlags } from "./flags.ts";

export async function runSelftestCommand(_flags: RawBenchFlags, _io: CliIo): Promise<ExitCode> {
  await Promise.resolve();
  return 0;
}
