// Workloads in virtual time: study 003's row 04, eight agents, and ten thousand on 1,250 servers.
import { findGpu } from "../dist/hardware/gpu-catalogue.js";
import { readYamlFile } from "../dist/core/yaml.js";
import { DEFAULT_MODEL_SHAPE } from "../dist/predict/model-shape.js";
import { LLAMA_CPP_KERNELS } from "../dist/predict/step-time.js";
import { simulateWorkload } from "../dist/predict/simulate/simulate-workload.js";
import { roleSchema } from "../dist/workload/role.js";
import { fileURLToPath } from "node:url";

const [TL, Dev, QA, Research, ToolStorm] = ["tl", "dev", "qa", "research", "tool-storm"].map((name) =>
  readYamlFile(roleSchema, fileURLToPath(new URL(`../roles/${name}.yaml`, import.meta.url))),
);

const ROW_04 = { servers: 1, slots: 5, roles: [TL, Dev, Dev, QA, QA], simulatedS: 600 };
const EIGHT = { servers: 1, slots: 8, roles: Array(8).fill(ToolStorm), simulatedS: 3600 };
const TEN_THOUSAND = {
  servers: 1250,
  slots: 8,
  roles: [TL, Dev, Dev, QA, QA, Research, Research, Research],
  simulatedS: 3600,
};

const row04 = simulated(ROW_04);
const eight = simulated(EIGHT);
const many = simulated(TEN_THOUSAND);
console.log(
  JSON.stringify([
    { figure: "row 04, 600 s of 5 agents", value: row04.wallS, unit: "s", atMost: 0.5 },
    {
      figure: "8 agents of short turns, an hour: times real time",
      value: EIGHT.simulatedS / eight.wallS,
      unit: "×",
      atLeast: 1000,
    },
    { figure: "10,000 agents on 1,250 servers, an hour", value: many.wallS, unit: "s", atMost: 60 },
    { figure: "10,000 agents: turns", value: many.turns, unit: "turns" },
    {
      figure: "10,000 agents: peak memory",
      value: process.resourceUsage().maxRSS / 1024,
      unit: "MiB",
      atMost: 1907,
    },
  ]),
);

function simulated({ servers, slots, roles, simulatedS }) {
  const server = {
    time: { model: DEFAULT_MODEL_SHAPE, device: findGpu("rtx-4090"), efficiency: LLAMA_CPP_KERNELS },
    mode: "continuous",
    slots,
    batchTokens: 2048,
    defaults: { contextTokens: 32_768, gpuLayers: 99 },
    loadNs: 0,
    jitter: 0,
    speed: 1,
    seed: 1,
  };
  const agents = Array.from({ length: servers }, (_unused, index) =>
    // Servers do not start in step, which would be kinder to the queue than life is.
    roles.map((role, place) => ({ name: `${index}/${place}`, role, server: index, startNs: index * 1000 })),
  ).flat();
  const startMs = performance.now();
  let turns = 0;
  const options = { servers: Array(servers).fill(server), agents, durationNs: simulatedS * 1e9 };
  simulateWorkload(options, () => turns++);
  return { wallS: (performance.now() - startMs) / 1000, turns };
}
