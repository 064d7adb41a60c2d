/**
 * How a server is started, as data. An engine's driver says it, `fleet` alone acts on it, and a
 * plan can print it without starting anything.
 */

/** One program to start. Nothing is inherited that does not stand here, and no shell reads it. */
export interface ProcessLaunch {
  readonly kind: "process";
  readonly command: string;
  readonly args: readonly string[];
  /** What the driver adds to the allowed part of the supervisor's own environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly url: string;
  /** Answers with status 200 once the server can serve. */
  readonly healthPath: string;
}

/** A model inside a server that may serve others too: Ollama. Loading and unloading are requests. */
export interface ResidentLaunch {
  readonly kind: "resident";
  readonly url: string;
  readonly model: string;
  /** Present when the server is the preset's own; absent when it must be running already. */
  readonly server?: ProcessLaunch;
}

export type LaunchDescription = ProcessLaunch | ResidentLaunch;
