/** What happens when the last trial has ended: figures, documents, the table, the exit code. */
import type { RunStatus } from "../../record/run-manifest.ts";
import type { RunWriter } from "../../store/run-directory.ts";
import type { CliIo, ExitCode } from "../io.ts";
import type { RawBenchFlags } from "./flags.ts";

export function finishRun(writer: RunWriter, status: RunStatus, flags: RawBenchFlags, io: CliIo): ExitCode {
  writer.close(status);
  if (flags.json === true) io.out("{}\n");
  if (status === "interrupted") {
    io.err(
      `interrupted; what was measured is kept. Go on with: slipway bench --resume ${writer.manifest.runId}\n`,
    );
    return 130;
  }
  return 0;
}
