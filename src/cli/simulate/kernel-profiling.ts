/**
 * Study 002 simulated: wall times with eight agents from those with one. Ollama takes one request after
 * the other; PyTorch's threads take turns on the device. An agent alone says how long a token takes; the
 * waiting of eight in closed loops, three requests each, is the simulator's.
 */
import {
  BACKEND_NAMES,
  BACKENDS,
  MODELS,
  kernelProfilingInputs,
} from "../../analysis/studies/kernel-profiling/inputs.ts";
import { defined } from "../../core/assert.ts";
import { NS_PER_MS } from "../../core/units.ts";
import { DEFAULT_MODEL_SHAPE } from "../../predict/model-shape.ts";
import { runVirtual } from "../../predict/simulate/run-virtual.ts";
import { SlotEngine } from "../../predict/simulate/slot-engine.ts";
import { mean } from "../../stats/quantile.ts";
import { shippedStudy } from "../report/shipped-studies.ts";

export interface WallComparison {
  readonly label: string;
  readonly agents: number;
  /** Mean wall time of a request, as published: of one agent, and of all together. */
  readonly aloneMs: number;
  readonly togetherMs: number;
  readonly simulatedMs: number;
  readonly errorPct: number;
}

const MODES = { ollama: "sequential", pytorch: "time-shared" } as const;

export function kernelProfilingComparison(): readonly WallComparison[] {
  const { conditions, settings } = kernelProfilingInputs.parse(shippedStudy("kernel-profiling").inputs);
  const agents = settings.agentsTogether;
  return BACKENDS.flatMap((backend) =>
    MODELS.map((model): WallComparison => {
      const wallMs = (count: number): number => {
        const found = conditions.find(
          (one) => one.backend === backend && one.model === model && one.agents === count,
        );
        return defined(mean(defined(found, "the condition").wallMs.map(({ value }) => value)), "a wall time");
      };
      const [aloneMs, togetherMs] = [wallMs(1), wallMs(agents)];
      const work = {
        agents,
        requests: settings.requestsPerAgentTogether,
        outputTokens: settings.maxNewTokens,
      };
      const simulatedMs = meanWallMs(MODES[backend], aloneMs, work);
      const label = `${BACKEND_NAMES[backend]}, ${model.toUpperCase()}`;
      return {
        label,
        agents,
        aloneMs,
        togetherMs,
        simulatedMs,
        errorPct: 100 * (simulatedMs / togetherMs - 1),
      };
    }),
  );
}

interface Work {
  readonly agents: number;
  readonly requests: number;
  readonly outputTokens: number;
}

/** Every step lasts as long as a token did with one agent; what the step computes is not asked. */
function meanWallMs(mode: "sequential" | "time-shared", aloneMs: number, work: Work): number {
  const free = { name: "a token", weights: Infinity, kv: Infinity, compute: Infinity, attention: Infinity };
  const stepOverheadNs = (aloneMs * NS_PER_MS) / work.outputTokens;
  const device = { name: "any", memoryBytes: 1, bandwidthBytesPerS: 1, computeFlopPerS: 1 };
  const engine = new SlotEngine({
    time: { model: DEFAULT_MODEL_SHAPE, device, efficiency: { ...free, stepOverheadNs } },
    mode,
    slots: work.agents,
    batchTokens: 1 + work.agents,
    defaults: { contextTokens: 1 + work.outputTokens, gpuLayers: DEFAULT_MODEL_SHAPE.layers + 1 },
    loadNs: 0,
    jitter: 0,
    speed: 1,
    seed: 1,
  });
  const requests = Array.from({ length: work.requests }, () => ({
    promptTokens: 1,
    outputTokens: work.outputTokens,
  }));
  const clients = Array.from({ length: work.agents }, (_, agent) => ({
    name: `${agent}`,
    startNs: 0,
    thinkNs: 0,
    requests,
  }));
  const { finished } = runVirtual(engine, clients);
  const walls = finished.map(({ timings }) => (timings.latestTokenNs - timings.submittedNs) / NS_PER_MS);
  return defined(mean(walls), "a wall time");
}
