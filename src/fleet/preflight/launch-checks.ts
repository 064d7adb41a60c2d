/** Whether a preset's program can be started, and can listen where it is told to. */
import { isLoopback } from "../../preset/address.ts";
import { fixedPort, listensItself } from "../../preset/preset.ts";
import type { Preset } from "../../preset/preset.ts";
import type { Check } from "../check.ts";
import type { OutgoingServer } from "../pool-forecast.ts";
import type { PortLook, PreflightProbes } from "./probes.ts";
import { passed, refused, warned } from "./verdict.ts";

function programOf(preset: Preset): string | undefined {
  if (preset.engine === "command") return preset.command[0];
  return listensItself(preset) ? preset.program : undefined;
}

export function programCheck(preset: Preset, probes: PreflightProbes): readonly Check[] {
  const program = programOf(preset);
  if (program === undefined) return [];
  const subject = { id: "program", preset: preset.name };
  const found = probes.program(program, preset.env["PATH"]);
  switch (found.kind) {
    case "found":
      return [passed(subject, found.path)];
    case "absent": {
      const remedy = "install it, or write its whole path into the preset";
      return [
        refused(
          subject,
          `${program} ${program.includes("/") ? "does not exist" : "is not on the PATH"}`,
          remedy,
        ),
      ];
    }
    case "not-executable":
      return [refused(subject, `${found.path} is not executable`, `chmod +x ${found.path}`)];
  }
}

/** None of these servers asks who is calling, so that an address others reach is one they may use. */
export function openHostCheck(preset: Preset): readonly Check[] {
  if (!listensItself(preset) || isLoopback(preset.host)) return [];
  return [
    warned(
      { id: "open-host", preset: preset.name },
      `it listens on ${preset.host}, and serves everybody who reaches that address`,
      "leave host out, so that only this machine reaches it, or keep others away by a firewall",
    ),
  ];
}

/** Fixed ports: free now or with the outgoing servers gone, and wanted by one preset only. */
export async function portChecks(
  incoming: readonly Preset[],
  outgoing: readonly OutgoingServer[],
  probes: PreflightProbes,
): Promise<readonly Check[]> {
  const checks = await Promise.all(
    incoming.map(async (preset) => {
      const port = fixedPort(preset);
      if (port === undefined) return [];
      if (!listensItself(preset)) return [serverCheck(preset, port, await probes.port(preset.host, port))];
      const rival = incoming.find(
        (other) => other !== preset && listensItself(other) && fixedPort(other) === port,
      );
      if (rival !== undefined) return [rivalCheck(preset, rival, port)];
      return [portCheck(preset, port, await probes.port(preset.host, port), outgoing)];
    }),
  );
  return checks.flat();
}

function rivalCheck({ name }: Preset, rival: Preset, port: number): Check {
  const message = `port ${port} is wanted by ${rival.name} too`;
  return refused({ id: "port", preset: name }, message, "write port: free in one of them");
}

function portCheck(preset: Preset, port: number, look: PortLook, outgoing: readonly OutgoingServer[]): Check {
  const subject = { id: "port", preset: preset.name };
  switch (look.kind) {
    case "free":
      return passed(subject, `port ${port} is free`);
    case "unusable":
      return refused(
        subject,
        `${preset.host} port ${port} cannot be listened on: ${look.reason}`,
        "correct host and port; ports below 1024 need a privilege",
      );
    case "taken": {
      const holder = outgoing.find((server) => holdsIt(server, port, look));
      if (holder !== undefined)
        return passed(subject, `port ${port} is ${holder.preset.name}'s, which is stopped first`);
      const who =
        look.pid === undefined
          ? "somebody whose process cannot be seen"
          : `${look.name ?? "a process"} (pid ${look.pid})`;
      return refused(
        subject,
        `port ${port} is taken by ${who}`,
        "write port: free, or end what listens there",
      );
    }
  }
}

/** By its processes where both are known; else by the port that its preset names. */
function holdsIt(
  { preset, pids }: OutgoingServer,
  port: number,
  look: PortLook & { kind: "taken" },
): boolean {
  if (pids !== undefined && look.pid !== undefined) return pids.has(look.pid);
  return listensItself(preset) && fixedPort(preset) === port;
}

/** A model inside a server that somebody else keeps: that server has to be there. */
function serverCheck(preset: Preset, port: number, look: PortLook): Check {
  const subject = { id: "server", preset: preset.name };
  if (look.kind === "taken") return passed(subject, `a server listens at port ${port}`);
  return refused(
    subject,
    `nothing listens at port ${port}, where ${preset.engine} should be running`,
    "start it, or write serve: own, so that it is started with the preset",
  );
}
