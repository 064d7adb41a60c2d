/** What calls of the API tell about CUDA graphs where kernels do not say whether they belong to one. */
import type { CallRow, GraphReading, Told } from "./figures.ts";
import { known, unknown, valueOf } from "./figures.ts";

export function graphLaunchesIn(calls: readonly CallRow[]): number {
  return calls
    .filter(({ name }) => /^(cuda|cu)GraphLaunch/.test(name))
    .reduce((sum, call) => sum + call.calls, 0);
}

export function graphsFromCalls(cudaApi: Told<readonly CallRow[]>): Told<GraphReading> {
  const calls = valueOf(cudaApi);
  if (calls === undefined) return unknown("calls of the CUDA API are not in the file");
  const launches = graphLaunchesIn(calls);
  return known(launches === 0 ? { kind: "none" } : { kind: "undecided", launches });
}
