/** `slipway doctor`: what this machine is, and what of the product works on it. */
import { resolve } from "node:path";
import { Command } from "commander";
import type { DefineCommand } from "../define-command.ts";

interface DoctorFlags {
  readonly runsDir: string;
  readonly json?: true;
}

const EXAMPLES = `
Examples:
  slipway doctor                    what works here, what does not, and the next step for each
  slipway doctor --json             the same as one JSON document
  slipway doctor --runs-dir /data   judges the disk that runs will be written to

Exits 0, or 3 when not even the simulated engine can be benchmarked here.
`;

export const doctorCommand: DefineCommand = (io, exit) =>
  new Command("doctor")
    .summary("say what this machine is and what works on it")
    .description("Looks at GPUs, memory, CPU, disk, servers on this machine and tools. Changes nothing.")
    .addHelpText("after", EXAMPLES)
    .option("--runs-dir <folder>", "where run directories go", "runs")
    .option("--json", "print one JSON document on stdout")
    .action(async (flags: DoctorFlags) => {
      const [
        { gatherFacts },
        { diagnose },
        { renderDiagnosis },
        { slipwayVersion },
        { loadMachineCertificate },
      ] = await Promise.all([
        import("../doctor/gather.ts"),
        import("../doctor/judge.ts"),
        import("../doctor/render.ts"),
        import("../version.ts"),
        import("../bench/machine-certificate.ts"),
      ]);
      const facts = await gatherFacts({
        clock: io.clock,
        env: io.env,
        runsDir: resolve(io.cwd, flags.runsDir),
        certified: loadMachineCertificate(io) !== undefined,
        slipwayVersion: slipwayVersion(),
      });
      const diagnosis = diagnose(facts);
      if (flags.json === true) io.out(`${JSON.stringify({ ...diagnosis, facts }, null, 2)}\n`);
      else io.out(renderDiagnosis(facts, diagnosis, { color: io.color, columns: io.outColumns }));
      exit(diagnosis.anythingWorks ? 0 : 3);
    });
