/** A simulation as one JSON document. */
import type { CellResult } from "./simulate-cell.ts";
import type { ShownSimulation } from "./simulate-section.ts";

export function simulationDocument(shown: ShownSimulation): object {
  const { simulation, need, statement, compared, caveats, nextCommand } = shown;
  const { server, device, kernels, errorShare, durationMs, runs, jitter, seed } = simulation;
  const { results, front, knee, cliff } = compared;
  return {
    simulated: true,
    server: { name: server.name, servedBy: server.servedBy, model: server.facts.name ?? server.facts.path },
    device: { ...device.device, origin: device.origin },
    kernels,
    error: { statement, ...(errorShare === undefined ? {} : { meanShare: errorShare }) },
    durationMs,
    runs,
    jitter,
    seed,
    need,
    configurations: results.map((result) => configurationOf(result, front)),
    ...(knee === undefined ? {} : { knee }),
    ...(cliff === undefined ? {} : { cliff }),
    caveats,
    ...(nextCommand === undefined ? {} : { next: nextCommand }),
  };
}

function configurationOf(result: CellResult, front: ReadonlySet<string>): object {
  const { cell, ledger, ...rest } = result;
  const { name, configuration, vision, agents } = cell;
  return {
    name,
    ...configuration,
    vision,
    agents: agents.map((agent) => ({ name: agent.name, role: agent.role.name })),
    ...rest,
    ...(front.size === 0 ? {} : { onFront: front.has(name) }),
    ledger: ledger.lines,
  };
}
