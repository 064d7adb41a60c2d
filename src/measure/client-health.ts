/**
 * Whether the measuring process itself was in the way. A stamp is taken when the event loop gets
 * to it, so whatever holds the loop (parsing, collection of garbage, too little CPU) is added to
 * every figure; this is what that came to during one trial.
 */
import { PerformanceObserver, createHistogram } from "node:perf_hooks";
import type { Clock, Timer } from "../core/clock.ts";
import { msToNs, nsToMs } from "../core/units.ts";
import type { ClientHealth } from "../record/trial-record.ts";

/**
 * As short as the lag that is warned about, so that no such stall slips between two probes. They
 * cost an idle process about 1 % of a core, nearly all of it for waking up (seen on two cores,
 * Node 20); a busy one is awake anyway.
 */
const PROBE_INTERVAL_MS = 10;

/** A stall longer than this stands in the histogram as this: a machine that slept through its trial. */
const LONGEST_LAG_NS = 3_600_000_000_000;

/** CPU time and GC as the process reports them; tests hand in their own. */
export interface ProcessMeter {
  /** CPU time of all threads of this process so far. */
  cpuMs(): number;
  /** Starts counting time inside the garbage collector; the result ends it and gives the sum. */
  startGc(): () => number;
}

export interface ClientHealthWatch {
  stop(): ClientHealth;
}

/**
 * Starts watching. Loop lag is how late a probe fires that is due every 10 ms, Node's own timer
 * rounding of up to 1 ms included. One long stall swallows all probes that fell into it, so those
 * are entered too, each with the wait it would have had: the percentile is then over moments in
 * time, which is what an arriving chunk meets, and not over the probes that got through.
 */
export function startClientHealth(clock: Clock, meter: ProcessMeter = processMeter): ClientHealthWatch {
  const lags = createHistogram({ figures: 3, highest: LONGEST_LAG_NS });
  const intervalNs = msToNs(PROBE_INTERVAL_MS);
  const startNs = clock.nowNs();
  const startCpuMs = meter.cpuMs();
  const stopGc = meter.startGc();
  let dueNs = startNs + intervalNs;
  const enter = (): void => {
    for (let lagNs = clock.nowNs() - dueNs; lagNs >= 0; lagNs -= intervalNs) {
      // The histogram holds integers from 1.
      lags.record(Math.min(Math.max(1, Math.round(lagNs)), LONGEST_LAG_NS));
      dueNs += intervalNs;
    }
  };
  let timer: Timer;
  const arm = (): void => {
    timer = clock.timerAt(dueNs, () => {
      enter();
      arm();
    });
  };
  arm();
  return {
    stop: () => {
      timer.cancel();
      // A stall that lasts until now has let no probe through yet.
      enter();
      const wallMs = nsToMs(clock.nowNs() - startNs);
      const gcMs = stopGc();
      return {
        gcMs,
        ...(lags.count === 0
          ? {}
          : { loopLagMsP99: nsToMs(lags.percentile(99)), loopLagMsMax: nsToMs(lags.max) }),
        ...(wallMs <= 0 ? {} : { cpuPct: ((meter.cpuMs() - startCpuMs) / wallMs) * 100 }),
      };
    },
  };
}

const processMeter: ProcessMeter = {
  cpuMs: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  },
  startGc: () => {
    let sumMs = 0;
    const add = (entries: readonly { readonly duration: number }[]): void => {
      for (const entry of entries) sumMs += entry.duration;
    };
    const observer = new PerformanceObserver((list) => add(list.getEntries()));
    observer.observe({ entryTypes: ["gc"] });
    return () => {
      // Entries are handed over in batches: the last one may still be on its way.
      add(observer.takeRecords());
      observer.disconnect();
      return sumMs;
    };
  },
};
