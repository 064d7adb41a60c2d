/** Study 002, what its profiles gave: SS8 and SS10 to SS16, and the ratios in its text. */
import type { RecomputedFigures } from "../recomputed-figures.ts";
import { changePct, effectOf, mannWhitneyOf, meanOf, spreadOf, welchOf } from "../sample-figures.ts";
import type { KernelProfilingInputs } from "./inputs.ts";
import { BACKENDS, pooled } from "./inputs.ts";
import { memoryTimeBounds } from "./memory-time.ts";

const US_PER_MS = 1000;

export function kernelFigures(book: RecomputedFigures, inputs: KernelProfilingInputs): void {
  for (const backend of BACKENDS) {
    for (const agents of [1, 8] as const) {
      const id = `kernels-pooled.${backend}-${agents}`;
      const kernels = { runs: pooled(inputs, backend, agents, "kernels") };
      const gpu = { runs: pooled(inputs, backend, agents, "gpuTimeMs") };
      book.put(`${id}.kernels`, kernels, ({ runs }) => meanOf(runs));
      book.put(`${id}.klow`, kernels, ({ runs }) => spreadOf(runs).ci95.low);
      book.put(`${id}.khigh`, kernels, ({ runs }) => spreadOf(runs).ci95.high);
      book.put(`${id}.gpu`, gpu, ({ runs }) => meanOf(runs));
      book.put(`${id}.glow`, gpu, ({ runs }) => spreadOf(runs).ci95.low);
      book.put(`${id}.ghigh`, gpu, ({ runs }) => spreadOf(runs).ci95.high);
    }
    const samples = {
      alone: pooled(inputs, backend, 1, "kernels"),
      together: pooled(inputs, backend, 8, "kernels"),
    };
    const id = `kernel-tests.${backend}`;
    book.put(`${id}.pct`, samples, ({ alone, together }) => changePct(meanOf(alone), meanOf(together)));
    // The study prints the size of d, and t with the sign of the first less the second.
    book.put(`${id}.d`, samples, ({ alone, together }) => effectOf(together, alone));
    book.put(`${id}.t`, samples, ({ alone, together }) => welchOf(alone, together).statistic);
    book.put(`${id}.p`, samples, ({ alone, together }) => welchOf(alone, together).p);
    book.put(`${id}.mwp`, samples, ({ alone, together }) => mannWhitneyOf(alone, together).p);
  }
  for (const condition of inputs.conditions) {
    const id = `kernels-model.${condition.id}`;
    const { kernels, gpuTimeMs } = condition;
    book.put(`${id}.kernels`, { kernels }, (values) => meanOf(values.kernels));
    book.put(`${id}.gpu`, { gpuTimeMs }, (values) => meanOf(values.gpuTimeMs));
    book.put(
      `${id}.each`,
      { kernels, gpuTimeMs },
      (values) => (meanOf(values.gpuTimeMs) / meanOf(values.kernels)) * US_PER_MS,
    );
  }
}

/** The rank test's p when every run of one group lies above every run of the other: n runs give none smaller. */
function leastRankP(runs: number): number {
  const below = Array.from({ length: runs }, (_, rank) => rank);
  return mannWhitneyOf(
    below,
    below.map((rank) => rank + runs),
  ).p;
}

/** No value of a run is printed: t follows from d, and p is bounded by the degrees of freedom that are possible. */
export function memoryTimeFigures(book: RecomputedFigures, inputs: KernelProfilingInputs): void {
  for (const backend of BACKENDS) {
    const memory = inputs.memoryTimeMs[backend];
    const id = `memory-time.${backend}`;
    const runs = memory.runsPerModel * inputs.models.length;
    const means = [memory.alone, memory.together];
    book.from(`${id}.delta`, means, (alone = 0, together = 0) => together - alone);
    book.from(`${id}.pct`, means, (alone = 1, together = 0) => changePct(alone, together));
    book.from(`${id}.t`, [memory.cohensD], (d = 0) => -d * Math.sqrt(runs / 2));
    const bounds = memoryTimeBounds(memory);
    book.between(`${id}.p`, bounds.leastPOfPrintedD, bounds.mostPOfPrintedD);
    book.between(`${id}.mwp`, leastRankP(runs), 1);
    if (memory.alonePerModel === undefined || bounds.perModel === undefined) continue;
    book.put(`${id}.mean1`, { perModel: memory.alonePerModel }, ({ perModel }) => meanOf(perModel));
    book.between(`${id}.d`, 0, bounds.perModel.mostD);
  }
}
