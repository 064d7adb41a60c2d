/** What the words of the tables mean, so that a report can be read without any other document. */

interface Meaning {
  readonly term: string;
  readonly meaning: string;
}

export const MEANINGS: readonly Meaning[] = [
  {
    term: "kept",
    meaning: "an agent's throughput together ÷ alone.",
  },
  {
    term: "ideal: shared, ideal: in turn",
    meaning:
      "what the same requests keep on a device that divides itself evenly, and on one that serves them one at a time; less than that is overhead, more is batching.",
  },
  {
    term: "true speedup",
    meaning: "how long the work takes one agent after the other, alone, ÷ how long it took together.",
  },
  {
    term: "balance index",
    meaning: "Σ of the agents' own times together ÷ wall, the formula published as speedup.",
  },
  {
    term: "TTFT and latency",
    meaning:
      "in the agents' tables, means over trials of each trial's median. A percentile over requests is given only where two of n requests lie beyond it with 99 % confidence.",
  },
  {
    term: "intervals",
    meaning:
      "95 %, over trials: Student's t for means, and for percentiles over requests the BCa bootstrap, which draws whole trials. Five trials are the least that can be drawn from.",
  },
];
