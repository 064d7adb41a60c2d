/** `slipway profile`: what profilers recorded of the GPU. */
import { resolve } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import type { CliIo, ExitCode } from "../io.ts";

interface ReadFlags {
  readonly top: number;
  readonly json?: true;
}

const EXAMPLES = `
Examples:
  slipway profile read report1.sqlite               an export of Nsight Systems
  slipway profile read report1_*.csv ncu.csv        reports of nsys stats, and of Nsight Compute
  slipway profile read trace.json.gz --json         PyTorch's trace; figures as one JSON document

Several files are parts of one profile. Files are read in a child process and are never changed.
`;

export function profileCommand(io: CliIo, exit: (code: ExitCode) => void): Command {
  const profile = new Command("profile")
    .summary("read what a profiler recorded of the GPU")
    .description("GPU traces: what dominated, how busy the GPU was, and what it waited for.")
    .addHelpText("after", "\nExample:\n  slipway profile read report1.sqlite");
  profile
    .command("read")
    .argument("<files...>", "SQLite exports or CSV of nsys, CSV of ncu, Chrome or Kineto JSON")
    .option("--top <rows>", "rows of each long table", rowCount, DEFAULT_ROWS)
    .option("--json", "print one JSON document on stdout")
    .description("One kernel table and one set of figures from the files of one profile.")
    .addHelpText("after", EXAMPLES)
    .action(async (files: string[], flags: ReadFlags) => exit(await read(files, flags, io)));
  return profile;
}

const DEFAULT_ROWS = 12;

function rowCount(text: string): number {
  const rows = Number(text);
  if (!Number.isInteger(rows) || rows < 1) throw new InvalidArgumentError("a whole number from 1 on");
  return rows;
}

async function read(files: readonly string[], { top, json }: ReadFlags, io: CliIo): Promise<ExitCode> {
  const [
    { readProfileApart },
    { ReadProgressLine },
    { profileSection },
    { profileAnswer },
    { renderSectionText },
    { shownPath },
    { printable },
  ] = await Promise.all([
    import("../../profile/read-apart.ts"),
    import("../profile/read-progress.ts"),
    import("../../report/profile/profile-section.ts"),
    import("../../report/profile/profile-answer.ts"),
    import("../../report/section/section-text.ts"),
    import("../shown-path.ts"),
    import("../../core/errors.ts"),
  ]);
  const progress = new ReadProgressLine(io);
  const read = await readProfileApart(
    files.map((file) => resolve(io.cwd, file)),
    {
      clock: io.clock,
      signal: io.interrupted,
      onProgress: (path, what, rows) => progress.show(shownPath(path, io.cwd), what, rows),
    },
  ).finally(() => progress.end());
  const figures = {
    ...read,
    sources: read.sources.map((source) => ({ ...source, path: shownPath(source.path, io.cwd) })),
  };
  if (json === true) io.out(`${JSON.stringify({ answer: profileAnswer(figures), ...figures }, null, 2)}\n`);
  // Names in a trace are somebody else's text; line ends are the section's own.
  else
    io.out(
      `${renderSectionText(profileSection(figures, { top }), io.outColumns)
        .split("\n")
        .map((line) => printable(line))
        .join("\n")}`,
    );
  return 0;
}
