/** The words of `slipway doctor`: the answer first, then why, then the facts it rests on. */
import { UNKNOWN, formatBytes } from "../../core/units.ts";
import type { GpuFacts } from "../../hardware/facts.ts";
import type { EndpointFacts } from "../../record/run-manifest.ts";
import type { DoctorFacts, FoundServer } from "./gather.ts";
import { serverLabel } from "./judge.ts";
import type { Diagnosis, Finding } from "./judge.ts";

export interface RenderStyle {
  readonly color: boolean;
  readonly columns: number;
}

type Mark = Finding["state"];

const MARKS: Readonly<Record<Mark, { readonly sign: string; readonly color: number }>> = {
  works: { sign: "✓", color: 32 },
  limited: { sign: "–", color: 33 },
  missing: { sign: "✗", color: 31 },
};

export function renderDiagnosis(facts: DoctorFacts, diagnosis: Diagnosis, style: RenderStyle): string {
  const sections = [
    answer(diagnosis, style),
    section("What works here", findingLines(diagnosis.findings, style)),
    section("Machine", machineLines(facts)),
    section("GPUs", gpuLines(facts)),
    section("Servers", serverLines(facts.servers, style)),
    section("Tools", toolLines(facts, style)),
  ];
  return `${sections.join("\n\n")}\n`;
}

/** Continued lines of the answer stand clear of the labels that begin it. */
const ANSWER_INDENT = 4;

const section = (title: string, lines: readonly string[]): string =>
  [title, ...lines.map((line) => `  ${line}`)].join("\n");

function answer({ can, withLimits, cannot }: Diagnosis, style: RenderStyle): string {
  const line = (label: string, items: readonly string[]): string[] =>
    items.length === 0 ? [] : [wrap(`${label} ${items.join("; ")}.`, style.columns, ANSWER_INDENT)];
  return [
    ...line("This machine can:", can.length === 0 ? ["nothing of the product"] : can),
    ...line("With limits:", withLimits),
    ...line("It cannot:", cannot),
  ].join("\n");
}

function mark(state: Mark, { color }: RenderStyle): string {
  const { sign, color: code } = MARKS[state];
  return color ? `\u001B[${code}m${sign}\u001B[39m` : sign;
}

function findingLines(findings: readonly Finding[], style: RenderStyle): string[] {
  const width = Math.max(...findings.map((finding) => finding.what.length));
  return findings.flatMap((finding) => [
    `${mark(finding.state, style)} ${finding.what.padEnd(width)}  ${finding.why}`,
    ...(finding.state === "works" ? [] : [`  ${"".padEnd(width)}  next: ${finding.nextStep}`]),
  ]);
}

function machineLines({ host, slipwayVersion, nodeVersion }: DoctorFacts): string[] {
  const limit =
    host.memoryLimitBytes === undefined ? "" : `, limited to ${formatBytes(host.memoryLimitBytes)}`;
  const cores =
    host.cpuLimitCores === undefined
      ? ""
      : `, limited to the time of ${Number(host.cpuLimitCores.toFixed(2))}`;
  const governor = host.cpuGovernor === undefined ? "" : `, governor ${host.cpuGovernor}`;
  return table([
    ["system", host.os],
    ["CPU", `${host.cpuModel ?? UNKNOWN}, ${host.logicalCores ?? UNKNOWN} cores${cores}${governor}`],
    [
      "memory",
      `${formatBytes(host.memoryBytes)}${limit}, ${formatBytes(host.memoryAvailableBytes)} available`,
    ],
    ["slipway", `${slipwayVersion} on Node ${nodeVersion}`],
  ]);
}

function gpuLines({ host }: DoctorFacts): string[] {
  if (host.gpus.length === 0) return [`none: ${host.gpuTrouble?.reason ?? "no GPU was found"}`];
  return table([
    ["", "name", "memory", "free", "driver", "compute", "power limit"],
    ...host.gpus.map((gpu) => gpuCells(gpu)),
  ]);
}

function gpuCells(gpu: GpuFacts): string[] {
  return [
    String(gpu.index),
    gpu.mig === "enabled" ? `${gpu.name} (MIG)` : gpu.name,
    formatBytes(gpu.memoryTotalBytes),
    formatBytes(gpu.memoryFreeBytes),
    gpu.driverVersion ?? UNKNOWN,
    gpu.computeCapability ?? UNKNOWN,
    gpu.powerLimitW === undefined ? UNKNOWN : `${gpu.powerLimitW} W`,
  ];
}

function serverLines(servers: readonly FoundServer[], style: RenderStyle): string[] {
  if (servers.length === 0) return ["none answers on the usual ports of this machine"];
  return servers.flatMap((server) => {
    const state = server.models.length > 0 ? "works" : "missing";
    const untold = server.models.slice(server.settings.length);
    return [
      `${mark(state, style)} ${serverLabel(server)}`,
      ...(server.problem === undefined ? [] : [`    ${server.problem}`]),
      ...settingLines(server.settings).map((line) => `    ${line}`),
      ...(untold.length === 0 ? [] : [`    and ${untold.join(", ")}`]),
    ];
  });
}

function settingLines(settings: readonly EndpointFacts[]): string[] {
  if (settings.length === 0) return [];
  return table([
    ["model", "slots", "context per slot", "layers on GPU"],
    ...settings.map((each) => [
      each.model ?? UNKNOWN,
      String(each.slots ?? UNKNOWN),
      each.contextTokens === undefined ? UNKNOWN : `${each.contextTokens} tokens`,
      each.gpuLayers === undefined && each.modelLayers === undefined
        ? UNKNOWN
        : `${each.gpuLayers ?? UNKNOWN} of ${each.modelLayers ?? UNKNOWN}`,
    ]),
  ]);
}

function toolLines({ tools }: DoctorFacts, style: RenderStyle): string[] {
  const width = Math.max(...tools.map((tool) => tool.name.length));
  return tools.map((tool) => {
    const name = tool.name.padEnd(width);
    return tool.path === undefined
      ? `${mark("limited", style)} ${name}  not on the PATH; for ${tool.use}`
      : `${mark("works", style)} ${name}  ${tool.path}`;
  });
}

/** Left-aligned columns, two blanks apart. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows)
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

/** Breaks at blanks; continued lines are indented. */
function wrap(text: string, columns: number, indent: number): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (longer.length > columns && line.trim() !== "") {
      lines.push(line);
      line = `${" ".repeat(indent)}${word}`;
    } else line = longer;
  }
  return [...lines, line].join("\n");
}
