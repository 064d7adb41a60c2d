/** Numbers for servers to listen on. */
import { type AddressInfo, createServer } from "node:net";
import { OperatorError, messageOf, systemCodeOf } from "../core/errors.ts";
import { portHolder } from "../hardware/port-holder.ts";
import { readKernelFile } from "../hardware/text-reader.ts";
import { type Preset, fixedPort, listensItself } from "../preset/preset.ts";

/** The system rarely gives a number twice in a row; so many in a row were never seen. */
const MAX_TRIES = 50;

/**
 * Hands out numbers that nobody listens on. Nothing holds a number until its server listens, so one
 * that was given is not given again while it is in use here; whatever else takes it in between is
 * seen as a failed start.
 */
export class FreePorts {
  readonly #given = new Set<number>();

  /** Throws PORT_IN_USE, and CONFIG_INVALID for an address that is not this machine's. */
  async reserve(preset: Preset): Promise<number> {
    const fixed = fixedPort(preset);
    if (fixed !== undefined) {
      if (listensItself(preset)) await bindOnce(preset, fixed);
      return fixed;
    }
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      const port = await bindOnce(preset, 0);
      if (this.#given.has(port)) continue;
      this.#given.add(port);
      return port;
    }
    throw new OperatorError("PORT_IN_USE", {
      message: `the system offers no port for ${preset.name} that is not promised already`,
      received: preset.host,
      nextStep: `write a fixed port into the preset ${preset.name}`,
    });
  }

  /** Its server has ended. */
  giveBack(port: number): void {
    this.#given.delete(port);
  }
}

/** Listens for a moment: who has the port, on this address or on all, is in the way. */
function bindOnce(preset: Preset, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", (thrown) => reject(cannotListen(preset, port, thrown)));
    probe.listen({ host: preset.host, port, exclusive: true }, () => {
      const bound = (probe.address() as AddressInfo).port;
      probe.close(() => resolve(bound));
    });
  });
}

function cannotListen(preset: Preset, port: number, thrown: unknown): OperatorError {
  if (systemCodeOf(thrown) !== "EADDRINUSE")
    return new OperatorError("CONFIG_INVALID", {
      message: `${preset.name} cannot listen at ${preset.host}, port ${port}: ${messageOf(thrown)}`,
      received: preset.host,
      nextStep: `write an address of this machine and a port from 1024 on into the preset ${preset.name}`,
      cause: thrown,
    });
  const holder = portHolder(readKernelFile, port);
  const who = holder?.pid === undefined ? "" : ` by ${holder.name ?? "process"} (${holder.pid})`;
  return new OperatorError("PORT_IN_USE", {
    message: `port ${port}, which ${preset.name} is to listen on, is taken${who}`,
    received: port,
    nextStep: `end what listens there, or give the preset ${preset.name} another port, or port: free`,
    cause: thrown,
  });
}
