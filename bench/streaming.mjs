// The self-test on the cells that targets are set for, the emitter on the same machine.
import { realClock } from "../dist/core/clock.js";
import { runSelftest } from "../dist/measure/selftest/selftest.js";

const SECONDS = 3;
const cell = (streams, tokensPerS, pattern = "spread") => ({
  streams,
  tokensPerS,
  pattern,
  seconds: SECONDS,
});

const cpuUsPerEvent = new Map();
let cpuBefore = process.cpuUsage();
const certificate = await runSelftest({
  clock: realClock,
  grid: {
    name: "custom",
    cells: [
      cell(64, 100),
      cell(512, 50),
      cell(512, 50, "lockstep"),
      cell(512, 200),
      cell(512, 250),
      cell(512, 300),
      cell(512, 400),
    ],
  },
  onProgress: ({ cell: { plan, events } }) => {
    const { user, system } = process.cpuUsage(cpuBefore);
    cpuBefore = process.cpuUsage();
    cpuUsPerEvent.set(plan, (user + system) / events);
  },
});

const [c64, c512, lockstep, c100k] = certificate.cells;
const ms = (figure, value, atMost) => ({
  figure,
  value,
  unit: "ms",
  ...(atMost === undefined ? {} : { atMost }),
});
console.log(
  JSON.stringify([
    ms("64 × 100 tok/s: receive − write p50", c64.all.p50Ms),
    ms("64 × 100 tok/s: receive − write p99, start included", c64.all.p99Ms, 2),
    ms("64 × 100 tok/s: receive − write p99, steady", c64.steady.p99Ms),
    ms("512 × 50 tok/s: first events (TTFT) p50", c512.firstEvents.p50Ms),
    ms("512 × 50 tok/s: receive − write p50", c512.all.p50Ms),
    ms("512 × 50 tok/s: receive − write p99, start included", c512.all.p99Ms, 10),
    ms("512 × 50 tok/s: receive − write p99, steady", c512.steady.p99Ms),
    ms("512 × 50 tok/s in lockstep: p99, start included", lockstep.all.p99Ms, 10),
    ms("512 × 200 tok/s: receive − write p50", c100k.all.p50Ms, 5),
    ms("512 × 200 tok/s: receive − write p99, start included", c100k.all.p99Ms),
    { figure: "512 × 200 tok/s: events really written", value: c100k.writtenEventsPerS, unit: "1/s" },
    {
      figure: "highest rate kept up with (median under 5 ms)",
      value: certificate.verdict.highestEventsPerS ?? 0,
      unit: "1/s",
      atLeast: 100_000,
    },
    { figure: "receiving, at 512 × 200", value: cpuUsPerEvent.get(c100k.plan), unit: "µs CPU per event" },
  ]),
);
