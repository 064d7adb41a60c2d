import { readdirSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { CHAT, CHAT_BODY, SSE, call, upstream } from "../../../test/fakes/recording-fixture.ts";
import { temporaryDirectory } from "../../../test/fakes/temporary-directory.ts";
import { VirtualClock, realClock } from "../../core/clock.ts";
import type { Clock } from "../../core/clock.ts";
import type { RequestRecord } from "../../record/request-record.ts";
import { readRun } from "../../store/read-run.ts";
import type { CliIo } from "../io.ts";
import { main } from "../main.ts";
import { exposureWarning, parseListen } from "./session.ts";

interface Session {
  /** The address that was printed. */
  readonly url: Promise<string>;
  readonly exitCode: Promise<number>;
  interrupt(): void;
  out(): string;
  err(): string;
}

function slipway(args: readonly string[], extra: Partial<CliIo> = {}): Session {
  const interrupt = new AbortController();
  let out = "";
  let err = "";
  let announced: (url: string) => void = () => undefined;
  const url = new Promise<string>((resolve) => {
    announced = resolve;
  });
  const io: CliIo = {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
      const match = /recording (http\S+) →/.exec(err);
      if (match !== null) announced(match[1] as string);
    },
    errIsTerminal: false,
    outIsTerminal: false,
    outColumns: 100,
    color: false,
    env: {},
    cwd: "/",
    clock: realClock,
    interrupted: interrupt.signal,
    ...extra,
  };
  return {
    url,
    exitCode: main(args, io),
    interrupt: () => interrupt.abort(new Error("interrupted")),
    out: () => out,
    err: () => err,
  };
}

function recordArgs(upstreamUrl: string, runsDir: string, ...more: readonly string[]): readonly string[] {
  const base = ["record", "--listen", "127.0.0.1:0", "--upstream", upstreamUrl, "--engine", "openai"];
  return [...base, "--runs-dir", runsDir, ...more];
}

function requestsOf(path: string): readonly RequestRecord[] {
  const requests: RequestRecord[] = [];
  readRun(path).eachRequest((request, membership) => {
    expect(membership).toBe("finished");
    requests.push(request);
  });
  return requests;
}

describe("slipway record", () => {
  it("records what two clients ask until Ctrl-C, tells them apart and leaves a run that can be read", async () => {
    const runsDir = temporaryDirectory();
    const url = await upstream((_request, response) => response.end(SSE));
    const session = slipway(recordArgs(url, runsDir, "--json"));
    const base = await session.url;
    await call(base + CHAT, { headers: { "x-slipway-agent": "red" }, body: CHAT_BODY });
    await call(base + CHAT, { headers: { "x-slipway-agent": "blue" }, body: CHAT_BODY });
    await call(base + CHAT, { body: CHAT_BODY });
    session.interrupt();
    expect(await session.exitCode).toBe(0);
    const document = JSON.parse(session.out()) as { path: string; requests: number; agents: unknown[] };
    expect(document).toMatchObject({
      simulated: false,
      requests: 3,
      agents: [
        { agent: "red", requests: 1, failures: 0, cancelled: 0, outputTokens: 3, estimated: false },
        { agent: "blue", requests: 1, outputTokens: 3 },
        { agent: "client", requests: 1, outputTokens: 3 },
      ],
    });
    const run = readRun(document.path);
    expect(run.manifest).toMatchObject({ status: "complete", scenario: "record", plannedTrials: 1 });
    expect(run.trials.map((trial) => [trial.trialId, trial.agents, trial.status])).toEqual([
      ["t0", ["red", "blue", "client"], "complete"],
    ]);
    expect(requestsOf(document.path).map((one) => one.requestId)).toEqual([
      "t0/red/0",
      "t0/blue/0",
      "t0/client/0",
    ]);
  });

  it("gives all requests one name when told so, and ends with a table and the path", async () => {
    const runsDir = temporaryDirectory();
    const url = await upstream((_request, response) => response.end(SSE));
    const session = slipway(recordArgs(url, runsDir, "--agent", "mine"));
    await call((await session.url) + CHAT, { headers: { "x-slipway-agent": "red" }, body: CHAT_BODY });
    session.interrupt();
    expect(await session.exitCode).toBe(0);
    const [runName] = readdirSync(runsDir);
    expect(session.out()).toMatch(/mine +│ +1 +│ +0 +│ +0 +│ +3 +│/);
    expect(session.out()).toContain(`1 request recorded in ${runsDir}/${runName}`);
    expect(session.err()).toMatch(/mine 0 \/v1\/chat\/completions: 3 tokens, /);
    expect(session.err()).not.toContain("warning");
  });

  it("is marked as simulated as soon as one answer says so", async () => {
    const runsDir = temporaryDirectory();
    const url = await upstream((_request, response) => {
      response.setHeader("x-slipway-simulated", "1");
      response.end(SSE);
    });
    const session = slipway(recordArgs(url, runsDir));
    await call((await session.url) + CHAT, { body: CHAT_BODY });
    session.interrupt();
    await session.exitCode;
    expect(session.out()).toMatch(/^SIMULATED/);
    expect(readRun(`${runsDir}/${readdirSync(runsDir)[0]}`).manifest.simulated).toBe(true);
  });

  it("sends the upstream the credential and writes it nowhere", async () => {
    const runsDir = temporaryDirectory();
    let authorization: string | undefined;
    const url = await upstream((request, response) => {
      authorization = request.headers.authorization;
      response.end(SSE);
    });
    const session = slipway(recordArgs(url, runsDir, "--credential-env", "KEY"), {
      env: { KEY: "secret-3" },
    });
    await call((await session.url) + CHAT, { body: CHAT_BODY });
    session.interrupt();
    await session.exitCode;
    expect(authorization).toBe("Bearer secret-3");
    const run = readRun(`${runsDir}/${readdirSync(runsDir)[0]}`);
    expect(run.manifest.spec).toMatchObject({ credential: { env: "KEY" } });
    expect(JSON.stringify([run.manifest, run.trials, session.out(), session.err()])).not.toContain(
      "secret-3",
    );
  });

  it("shows a moving count on a terminal", async () => {
    const runsDir = temporaryDirectory();
    const url = await upstream((_request, response) => response.end(SSE));
    const clock = new VirtualClock(1_000_000_000);
    const session = slipway(recordArgs(url, runsDir), { errIsTerminal: true, clock: clock as Clock });
    const base = await session.url;
    await call(base + CHAT, { body: CHAT_BODY });
    await clock.advanceTo(2_000_000_000);
    session.interrupt();
    await session.exitCode;
    expect(session.err()).toContain("\r\u001b[Krecorded 0, 0 in flight, 0.0 ms");
    expect(session.err()).toContain("\r\u001b[Krecorded 1, 0 in flight, 750 ms");
    expect(session.err()).not.toContain("3 tokens");
  });

  it("leaves nothing behind when its port is taken", async () => {
    const runsDir = temporaryDirectory();
    const taken = createServer();
    await new Promise<void>((resolve) => {
      taken.listen(0, "127.0.0.1", resolve);
    });
    const { port } = taken.address() as AddressInfo;
    const session = slipway([
      ...["record", "--engine", "openai", "--upstream", "http://127.0.0.1:1"],
      ...["--listen", `127.0.0.1:${port}`, "--runs-dir", runsDir],
    ]);
    expect(await session.exitCode).toBe(3);
    taken.close();
    expect(session.err().replaceAll(String(port), "PORT")).toBe(
      "error PORT_IN_USE: something already listens on 127.0.0.1:PORT\n  received: 127.0.0.1:PORT\n  next: choose another port, or 0 for a free one\n",
    );
    expect(readdirSync(runsDir)).toEqual([]);
  });

  it("asks an upstream of unknown kind what it is, and says when nothing answers", async () => {
    const session = slipway(["record", "--upstream", "http://127.0.0.1:1", "--listen", "127.0.0.1:0"]);
    expect(await session.exitCode).toBe(3);
    expect(session.err()).toMatch(/^error ENDPOINT_REFUSED/);
  });

  it.each([
    ["11500", "a port alone"],
    [":11500", "no host"],
    ["127.0.0.1", "no port"],
    ["127.0.0.1:99999", "a port above 65535"],
    ["::1:80", "an IPv6 address without brackets"],
  ])("refuses --listen %s: %s", async (listen) => {
    const session = slipway(["record", "--upstream", "http://127.0.0.1:1", "--listen", listen]);
    expect(await session.exitCode).toBe(2);
    expect(session.err()).toMatch(/^error FLAG_INVALID: --listen needs a host and a port/);
  });

  it("reads addresses of both families", () => {
    expect(parseListen("127.0.0.1:11500")).toEqual({ host: "127.0.0.1", port: 11_500 });
    expect(parseListen("[::1]:0")).toEqual({ host: "::1", port: 0 });
  });

  it("warns of every address that others can reach", () => {
    for (const host of ["127.0.0.1", "127.8.0.1", "localhost", "::1"])
      expect(exposureWarning(host)).toBeUndefined();
    for (const host of ["0.0.0.0", "::", "192.168.1.4", "127.0.0.1.example"])
      expect(exposureWarning(host)).toContain(`listening on ${host}: whoever reaches this machine`);
  });

  it("shows an example in its help", async () => {
    const session = slipway(["record", "--help"]);
    expect(await session.exitCode).toBe(0);
    expect(session.out()).toContain("slipway record --upstream http://127.0.0.1:11434");
  });
});
