/** `slipway record`: a base URL for any client, whose traffic becomes a run. */
import { Command, Option } from "commander";
import type { CliIo, ExitCode } from "../io.ts";
import type { RecordFlags } from "../record/session.ts";

const EXAMPLES = `
Examples:
  slipway record --upstream http://127.0.0.1:11434
  slipway record --listen 127.0.0.1:11500 --upstream http://127.0.0.1:8080 --agent my-agent

Point the client at the address that is printed, for instance
  OPENAI_BASE_URL=http://127.0.0.1:11500/v1 python3 my_agent.py
  OLLAMA_HOST=http://127.0.0.1:11500 ollama run gemma3
and end the recording with Ctrl-C. Several clients can be told apart by the header x-slipway-agent.
`;

export function recordCommand(io: CliIo, exit: (code: ExitCode) => void): Command {
  return new Command("record")
    .summary("record the requests of any client on their way to a server")
    .description(
      "Listens as a server, hands every request on to the upstream unchanged, and records model calls in the form of a benchmark's own, until Ctrl-C.",
    )
    .requiredOption("-u, --upstream <url>", "the server that answers")
    .option("-l, --listen <host:port>", "where clients connect; port 0 takes a free one", "127.0.0.1:11500")
    .addOption(
      new Option("--engine <kind>", "what the upstream is; asked of it when absent").choices([
        "openai",
        "vllm",
        "tgi",
        "llama-server",
        "ollama",
        "simulated",
      ]),
    )
    .option("--agent <name>", "one name for all requests, instead of the header x-slipway-agent")
    .option("--credential-env <variable>", "bearer token of the upstream from an environment variable")
    .option("--credential-file <path>", "bearer token of the upstream from a file")
    .option("--runs-dir <folder>", "where run directories go", "runs")
    .option("--durable", "wait for the disk after every record")
    .option("--json", "print one JSON document on stdout when the recording ends")
    .addHelpText("after", EXAMPLES)
    .action(async (flags: RecordFlags) => {
      const { runRecord } = await import("../record/session.ts");
      exit(await runRecord(flags, io));
    });
}
