/** Which port a start gets. */
import { OperatorError } from "../core/errors.ts";
import type { Preset } from "../preset/preset.ts";
import { pollUntil } from "./switch-wait.ts";
import type { FleetWorld } from "./world.ts";

/** A server that has just ended can hold its port for a moment; who holds it longer is somebody else. */
const PORT_LIMIT_MS = 5_000;

/**
 * A restart keeps its port where it can: clients hold on to the address. One that the preset names is
 * waited for a little, since its last holder may have been ours. Throws PORT_IN_USE.
 */
export async function choosePort(
  world: FleetWorld,
  preset: Preset,
  last: number | undefined,
): Promise<number> {
  if (preset.port === "free")
    return (
      (last === undefined ? undefined : await reserved(world, { ...preset, port: last })) ??
      world.reservePort(preset)
    );
  const waited = await pollUntil(world.clock, PORT_LIMIT_MS, undefined, () => reserved(world, preset));
  return waited.kind === "found" ? waited.value : world.reservePort(preset);
}

async function reserved(world: FleetWorld, preset: Preset): Promise<number | undefined> {
  try {
    return await world.reservePort(preset);
  } catch (thrown) {
    if (thrown instanceof OperatorError && thrown.code === "PORT_IN_USE") return undefined;
    throw thrown;
  }
}
