/** `slipway bench --selftest`: what this machine's own stamps are worth. */
import { OperatorError } from "../../core/errors.ts";
import { saveCertificate } from "../../measure/selftest/certificate.ts";
import { GRIDS } from "../../measure/selftest/grid.ts";
import { renderCertificate } from "../../measure/selftest/render.ts";
import { runSelftest } from "../../measure/selftest/selftest.ts";
import type { SelftestProgress } from "../../measure/selftest/selftest.ts";
import type { CliIo, ExitCode } from "../io.ts";
import type { RawBenchFlags } from "./flags.ts";
import { machineCertificatePath } from "./machine-certificate.ts";

export async function runSelftestCommand(flags: RawBenchFlags, io: CliIo): Promise<ExitCode> {
  const grid = gridOf(flags.selftest);
  const certificate = await runSelftest({
    clock: io.clock,
    signal: io.interrupted,
    grid,
    onProgress: (progress) => io.err(progressLine(progress)),
  });
  const path = machineCertificatePath(io);
  saveCertificate(path, certificate);
  if (flags.json === true) io.out(`${JSON.stringify(certificate)}\n`);
  else
    io.out(
      `${renderCertificate(certificate)}\nKept at ${path}; every run on this machine carries it from now on.\n`,
    );
  return 0;
}

function gridOf(depth: string | boolean | undefined): (typeof GRIDS)["quick"] {
  if (depth === true || depth === "quick") return GRIDS.quick;
  if (depth === "full") return GRIDS.full;
  throw new OperatorError("FLAG_INVALID", {
    message: "--selftest is quick or full",
    received: depth,
    nextStep:
      "run slipway bench --selftest (under 20 s) or slipway bench --selftest=full (about three minutes)",
  });
}

function progressLine({ done, total, cell }: SelftestProgress): string {
  const { streams, tokensPerS, pattern } = cell.plan;
  return `[${done}/${total}] ${streams} streams at ${tokensPerS} tok/s, ${pattern}\n`;
}
