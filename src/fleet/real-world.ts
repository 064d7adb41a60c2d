/** The world as it is: processes, ports, logs and servers of this machine. */
import { closeSync } from "node:fs";
import type { Clock } from "../core/clock.ts";
import type { RandomStream } from "../core/random.ts";
import { describeLaunch } from "../engines/launch.ts";
import { portClients } from "../hardware/port-clients.ts";
import { readKernelFile } from "../hardware/text-reader.ts";
import { FreePorts } from "./free-port.ts";
import type { MemoryReading } from "./memory.ts";
import { createProcessOwner } from "./process-owner.ts";
import { connectServer } from "./server-client.ts";
import { keepServerLogs } from "./server-log.ts";
import { logFolder } from "./state-directory.ts";
import type { FleetWorld, ServerProcess } from "./world.ts";

export interface RealWorldOptions {
  readonly clock: Clock;
  readonly random: RandomStream;
  /** Locked by the caller. Logs are kept in it, and servers find themselves in it. */
  readonly stateDirectory: string;
  /** The supervisor's own, of which servers get an allow-list. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** `serverPids`: the first processes of the servers that run and are ours. */
  readonly memory: (serverPids: readonly number[]) => Promise<MemoryReading>;
  readonly preflight: FleetWorld["preflight"];
}

export interface RealWorld extends FleetWorld {
  /** Stops watching servers and logs, without which a program would not end. Servers run on. */
  close(): void;
}

/** Throws DIRECTORY_UNWRITABLE when there can be no logs. */
export function createRealWorld(options: RealWorldOptions): RealWorld {
  const { clock, random, stateDirectory, environment } = options;
  const logs = keepServerLogs(logFolder(stateDirectory), clock);
  const owner = createProcessOwner({ clock, environment });
  const ports = new FreePorts();
  const running = new Set<number>();
  const watched = (server: ServerProcess, port?: number): ServerProcess => {
    const { pid } = server.identity;
    running.add(pid);
    void server.exited.then(() => {
      running.delete(pid);
      if (port !== undefined) ports.giveBack(port);
    });
    return server;
  };
  return {
    clock,
    random,
    reservePort: (preset) => ports.reserve(preset),
    describe: describeLaunch,
    async start(launch, preset, serverId) {
      const outputDescriptor = logs.open(preset.name, serverId);
      try {
        const server = await owner.start({ launch, serverId, cwd: stateDirectory, outputDescriptor });
        return watched(server, Number(new URL(launch.url).port));
      } finally {
        closeSync(outputDescriptor);
      }
    },
    adopt(identity, serverId) {
      const server = owner.adopt(identity, serverId);
      return server === undefined ? undefined : watched(server);
    },
    findByServerId: (serverId) => owner.findByServerId(serverId),
    stop: (server, graceMs) => owner.stop(server, graceMs),
    connect: (preset, launch) => connectServer(preset, launch, clock),
    clientsOf: (port) => portClients(readKernelFile, port),
    memory: () => options.memory([...running]),
    preflight: (incoming, outgoing, reading) => options.preflight(incoming, outgoing, reading),
    logTail: (presetName, lines) => logs.tail(presetName, lines),
    close() {
      owner.close();
      logs.close();
    },
  };
}
