/** The server's life: one client, on stdin and stdout, which carry nothing but the protocol. */
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import type { RequestHandlerExtra } from "@modelcontextprotocol/sdk/shared/protocol.js";
import type { CallToolResult, ServerNotification, ServerRequest } from "@modelcontextprotocol/sdk/types.js";
import { OperatorError, printable } from "../../../core/errors.ts";
import type { CliIo } from "../../io.ts";
import { slipwayVersion } from "../../version.ts";
import { type McpFlags, type McpTool, type ToolResult, mcpTools } from "./tools.ts";

/** No tool takes more than one argument; a call with hundreds is no mistake of a client. */
const MAX_INPUT_ELEMENTS = 16;

/** The longest message is a call with one name; more without a line end would only fill memory. */
const MAX_MESSAGE_BYTES = 1024 * 1024;

const INSTRUCTIONS = `Slipway keeps inference servers on this machine. A preset is one model on one engine; a mode is presets that run together, and one mode is up at a time. Ask status first. Before a switch, ask plan: it says what would stop, whether the memory suffices, and what would fit if it does not. A switch reaches the new mode or puts the old one back; it ends what runs now for everybody on this machine.`;

/** Until the client closes stdin or the process is told to end. Calls that change something go on in the supervisor. */
export async function serveMcp(flags: McpFlags, io: CliIo): Promise<void> {
  const server = new McpServer(
    { name: "slipway", version: slipwayVersion() },
    { instructions: INSTRUCTIONS, maxToolInputElements: MAX_INPUT_ELEMENTS },
  );
  for (const tool of mcpTools(flags, io)) register(server, tool);
  const over = new Promise<void>((resolve) => {
    process.stdin.once("end", resolve);
    process.stdin.once("close", resolve);
    io.interrupted.addEventListener("abort", () => resolve(), { once: true });
    server.server.onclose = resolve;
  });
  await server.connect(
    new StdioServerTransport(process.stdin, process.stdout, { maxBufferSize: MAX_MESSAGE_BYTES }),
  );
  await over;
  await server.close();
}

function register(server: McpServer, tool: McpTool): void {
  const { name, title, description, input, changes } = tool;
  server.registerTool(
    name,
    {
      title,
      description,
      inputSchema: input,
      annotations: {
        title,
        readOnlyHint: changes === "nothing",
        destructiveHint: changes === "stops-servers",
        idempotentHint: true,
        openWorldHint: false,
      },
    },
    (args, extra) => answer(tool, args, extra),
  );
}

type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>;

async function answer(tool: McpTool, args: unknown, extra: Extra): Promise<CallToolResult> {
  let steps = 0;
  let told: Promise<void> = Promise.resolve();
  const token = extra._meta?.progressToken;
  try {
    const result = await tool.run(args as { readonly [name: string]: string | undefined }, {
      signal: extra.signal,
      onProgress: ({ message }) => {
        if (token === undefined) return;
        const params = { progressToken: token, progress: ++steps, message: printable(message) };
        // In order, and before the result. A client that went away misses it; what it asked for goes on.
        told = told
          .then(() => extra.sendNotification({ method: "notifications/progress", params }))
          .catch(() => undefined);
      },
    });
    await told;
    return document(result.document, result.failed);
  } catch (thrown) {
    if (!(thrown instanceof OperatorError)) throw thrown;
    return document(errorDocument(thrown), true);
  }
}

/** Code, message and next step, as the commands print them; a cause or a stack stays here. */
function errorDocument({ code, message, received, nextStep }: OperatorError): ToolResult["document"] {
  return {
    error: {
      code,
      message: printable(message),
      ...(received === undefined ? {} : { received }),
      nextStep: printable(nextStep),
    },
  };
}

function document(content: ToolResult["document"], isError: boolean): CallToolResult {
  return {
    content: [{ type: "text", text: JSON.stringify(content) }],
    structuredContent: { ...content },
    ...(isError ? { isError } : {}),
  };
}
