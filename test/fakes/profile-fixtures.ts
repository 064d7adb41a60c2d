/** Recorded profiles, unpacked for one test. */
import { readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { temporaryDirectory } from "./temporary-directory.ts";

const FOLDER = fileURLToPath(new URL("../fixtures/profile/", import.meta.url));

export function profileFixture(name: string): string {
  return join(FOLDER, name);
}

/** A packed fixture, written out under its name without `.gz`. */
export function unpackedFixture(name: string): string {
  const path = join(temporaryDirectory(), basename(name, ".gz"));
  writeFileSync(path, gunzipSync(readFileSync(profileFixture(name))));
  return path;
}

export interface ExpectedDevice {
  readonly kernels: number;
  readonly gpuTimeNs: number;
  readonly busyNs: number;
  readonly spanNs: number;
  readonly maxKernels: number;
  readonly gaps: {
    readonly count: number;
    readonly totalNs: number;
    readonly p50Ns: number;
    readonly p99Ns: number;
    readonly maxNs: number;
  };
  readonly idle: {
    readonly transferNs: number;
    readonly launchBoundNs: number;
    readonly hostBoundNs: number;
    readonly unknownNs: number;
  };
}

export interface ExpectedFigures {
  readonly recordedNs: number;
  readonly devices: Readonly<Record<string, ExpectedDevice>>;
  readonly kernels: readonly {
    readonly name: string;
    readonly instances: number;
    readonly totalNs: number;
    readonly minNs: number;
    readonly maxNs: number;
  }[];
  readonly copies: Readonly<
    Record<string, { readonly count: number; readonly totalNs: number; readonly bytes: number }>
  >;
  readonly memsets: readonly [number, number, number] | null;
  readonly apiCalls: readonly [number, number];
  readonly ranges: readonly [number, number];
}

/** Worked out by `scripts/profile-fixtures.py`, which shares nothing with the reader. */
export function expectedFigures(name: "power-iteration-t4" | "h100-2gpu-1s"): ExpectedFigures {
  const all = JSON.parse(readFileSync(profileFixture("expected.json"), "utf8")) as Record<
    string,
    ExpectedFigures
  >;
  return all[name] as ExpectedFigures;
}
