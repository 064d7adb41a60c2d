/** The Lagrangian bound of one step, for models of which some are taken, some left out and some open. See one-step-search for the source. */

/** What is decided of a model. */
export const FREE = 0;
export const IN = 1;
export const OUT = 2;

export interface StepNumbers {
  readonly budgetMib: number;
  readonly sizesMib: readonly number[];
  /** What loading the model costs from here. */
  readonly prices: readonly number[];
  /** By model, then by task; −∞ where the model cannot take the task. */
  readonly worth: readonly Float64Array[];
}

/** First length of a subgradient step, as a share of Polyak's: the best of 0.7 to 2 on the bench's instances. */
const FIRST_LENGTH = 2;

/** Steps without a better bound before the length is halved. */
const PATIENCE = 2;

export class AssignmentBound {
  readonly state: Int8Array;
  readonly #numbers: StepNumbers;
  readonly #tasks: number;
  /** Of the last evaluation: by model its gain, that per memory, and how much of it the knapsack takes, and the bound's slope by task. */
  readonly #gain: Float64Array;
  readonly #density: Float64Array;
  readonly #share: Float64Array;
  readonly #slope: Float64Array;
  /** Models by gain per memory, largest first. */
  readonly #order: number[];

  constructor(numbers: StepNumbers) {
    this.#numbers = numbers;
    this.#tasks = numbers.worth[0]?.length ?? 0;
    const models = numbers.sizesMib.length;
    this.state = Int8Array.from(numbers.sizesMib, (size) => (size > numbers.budgetMib ? OUT : FREE));
    this.#gain = new Float64Array(models);
    this.#density = new Float64Array(models);
    this.#share = new Float64Array(models);
    this.#slope = new Float64Array(this.#tasks);
    this.#order = [...numbers.sizesMib.keys()];
  }

  fits(set: readonly number[]): boolean {
    return this.#sizeOf(set) <= this.#numbers.budgetMib;
  }

  /** What the tasks are worth on the best of these models, less the loads; −∞ when some task has none. */
  valueOf(set: readonly number[]): number {
    return this.#valueWith(this.#bestOf(set), set);
  }

  /** The best set that has one more of the models, and what it is worth. */
  bestAddition(set: readonly number[]): { readonly set: readonly number[]; readonly value: number } {
    const { worth, prices, sizesMib, budgetMib } = this.#numbers;
    const best = this.#bestOf(set);
    const freeMib = budgetMib - this.#sizeOf(set);
    let found = { set, value: this.#valueWith(best, set) };
    const spent = set.reduce((sum, model) => sum + (prices[model] as number), 0);
    for (const [model, row] of worth.entries()) {
      if ((sizesMib[model] as number) > freeMib || set.includes(model)) continue;
      let value = -spent - (prices[model] as number);
      for (let task = 0; task < row.length; task++)
        value += Math.max(row[task] as number, best[task] as number);
      if (value > found.value) found = { set: [...set, model], value };
    }
    return found;
  }

  #bestOf(set: readonly number[]): Float64Array {
    const best = new Float64Array(this.#tasks).fill(Number.NEGATIVE_INFINITY);
    for (const model of set) {
      const row = this.#numbers.worth[model] as Float64Array;
      for (let task = 0; task < row.length; task++)
        best[task] = Math.max(best[task] as number, row[task] as number);
    }
    return best;
  }

  #valueWith(best: Float64Array, set: readonly number[]): number {
    let value = 0;
    for (const worth of best) value += worth;
    for (const model of set) value -= this.#numbers.prices[model] as number;
    return value;
  }

  /** Each task at its second best model: where two compete, that is about what the first is worth beyond. */
  firstPrices(): Float64Array {
    return Float64Array.from({ length: this.#tasks }, (_, task) => {
      const worths = this.#numbers.worth.map((row) => row[task] as number).sort((a, b) => b - a);
      const [first = 0, second = first] = worths;
      return Number.isFinite(second) ? second : first;
    });
  }

  /**
   * Lowers the bound by moving the prices, and leaves the best of them in `prices`. Stops as soon as
   * the bound is under `goal`. Returns the lowest bound, with the evaluation that belongs to it in place.
   */
  improve(prices: Float64Array, steps: number, goal: number): number {
    let lowest = Number.POSITIVE_INFINITY;
    const best = Float64Array.from(prices);
    let length = FIRST_LENGTH;
    let idle = 0;
    for (let step = 0; step < steps; step++) {
      const upper = this.#evaluate(prices);
      if (upper < lowest) {
        lowest = upper;
        best.set(prices);
        idle = 0;
      } else if (++idle >= PATIENCE) {
        length /= 2;
        idle = 0;
      }
      if (lowest < goal) return lowest;
      let steepness = 0;
      for (const slope of this.#slope) steepness += slope * slope;
      if (steepness === 0) break;
      const scale = (length * (upper - goal)) / steepness;
      for (let task = 0; task < this.#tasks; task++)
        prices[task] = (prices[task] as number) - scale * (this.#slope[task] as number);
    }
    prices.set(best);
    return this.#evaluate(prices);
  }

  /** Takes or leaves out every open model whose opposite would bring the bound under `goal`. Returns them. */
  settle(upper: number, goal: number): readonly number[] {
    const density = this.#marginalDensity();
    const settled: number[] = [];
    for (const model of this.#open()) {
      const advantage = this.#gain[model] as number;
      const reduced = advantage - density * (this.#numbers.sizesMib[model] as number);
      if (upper - Math.abs(reduced) >= goal) continue;
      this.state[model] = reduced > 0 ? IN : OUT;
      settled.push(model);
    }
    return settled;
  }

  /** A set that fits, close to what the bound would take. */
  rounded(): readonly number[] {
    const set: number[] = [];
    let freeMib = this.#numbers.budgetMib;
    const wanted = this.#order
      .filter((model) => this.state[model] !== OUT)
      .sort((a, b) => this.#wish(b) - this.#wish(a));
    for (const model of wanted) {
      const size = this.#numbers.sizesMib[model] as number;
      if (this.#wish(model) <= 0 || size > freeMib) continue;
      set.push(model);
      freeMib -= size;
    }
    return set.sort((a, b) => a - b);
  }

  taken(): readonly number[] {
    return [...this.state.keys()].filter((model) => this.state[model] === IN);
  }

  /** The open model to branch on: one that the knapsack takes in part, else the one whose gain says least. */
  mostUndecided(): number | undefined {
    let chosen: number | undefined;
    let highest = Number.NEGATIVE_INFINITY;
    for (const model of this.#open()) {
      const share = this.#share[model] as number;
      const doubt =
        share > 0 && share < 1
          ? 1 + Math.min(share, 1 - share)
          : 1 / (1 + Math.abs(this.#gain[model] as number));
      if (doubt <= highest) continue;
      highest = doubt;
      chosen = model;
    }
    return chosen;
  }

  leansIn(model: number): boolean {
    return (this.#share[model] as number) >= 0.5;
  }

  /** Decides a model, and leaves out open ones that no longer fit, which are returned. Nothing, where it does not fit itself. */
  decide(model: number, side: typeof IN | typeof OUT): readonly number[] | undefined {
    this.state[model] = side;
    const freeMib = this.#numbers.budgetMib - this.#sizeOf(this.taken());
    if (freeMib < 0) {
      this.state[model] = FREE;
      return undefined;
    }
    const excluded = this.#open().filter((other) => (this.#numbers.sizesMib[other] as number) > freeMib);
    for (const other of excluded) this.state[other] = OUT;
    return excluded;
  }

  #open(): readonly number[] {
    return [...this.state.keys()].filter((model) => this.state[model] === FREE);
  }

  #sizeOf(set: readonly number[]): number {
    return set.reduce((sum, model) => sum + (this.#numbers.sizesMib[model] as number), 0);
  }

  #wish(model: number): number {
    return this.state[model] === IN ? 2 : (this.#share[model] as number);
  }

  /** Gain per memory of the model that the knapsack cuts; 0 where all that gain fit. */
  #marginalDensity(): number {
    for (const model of this.#order)
      if (this.state[model] === FREE && (this.#share[model] as number) < 1)
        return Math.max(0, (this.#gain[model] as number) / (this.#numbers.sizesMib[model] as number));
    return 0;
  }

  /** Σπ + the gains of what is taken + the fractional knapsack (Dantzig 1957) of what is open. */
  #evaluate(prices: Float64Array): number {
    const { sizesMib, worth } = this.#numbers;
    let upper = 0;
    for (let task = 0; task < this.#tasks; task++) upper += prices[task] as number;
    let freeMib = this.#numbers.budgetMib;
    for (let model = 0; model < sizesMib.length; model++) {
      this.#share[model] = 0;
      if (this.state[model] === OUT) continue;
      const gain = gainAbove(prices, worth[model] as Float64Array) - (this.#numbers.prices[model] as number);
      this.#gain[model] = gain;
      this.#density[model] = gain / (sizesMib[model] as number);
      if (this.state[model] !== IN) continue;
      upper += gain;
      freeMib -= sizesMib[model] as number;
      this.#share[model] = 1;
    }
    this.#sortByDensity();
    for (const model of this.#order) {
      if (this.state[model] !== FREE) continue;
      if ((this.#gain[model] as number) <= 0 || freeMib <= 0) break;
      const share = Math.min(1, freeMib / (sizesMib[model] as number));
      this.#share[model] = share;
      upper += share * (this.#gain[model] as number);
      freeMib -= share * (sizesMib[model] as number);
    }
    this.#slopes(prices);
    return upper;
  }

  /** By insertion: prices move little from one evaluation to the next, so the order is nearly right. */
  #sortByDensity(): void {
    const order = this.#order;
    for (let at = 1; at < order.length; at++) {
      const model = order[at] as number;
      const density = this.#density[model] as number;
      let place = at;
      for (; place > 0; place--) {
        const other = order[place - 1] as number;
        const lead = density - (this.#density[other] as number);
        if (lead < 0 || (lead === 0 && model > other)) break;
        order[place] = other;
      }
      order[place] = model;
    }
  }

  #slopes(prices: Float64Array): void {
    this.#slope.fill(1);
    for (const [model, row] of this.#numbers.worth.entries()) {
      const share = this.#share[model] as number;
      if (share > 0) lowerWherePaid(this.#slope, share, prices, row);
    }
  }
}

// The two inner loops stand alone, over plain arrays: half of the time of a search is spent in them.

/** Σ of what the tasks are worth above their prices. */
function gainAbove(prices: Float64Array, row: Float64Array): number {
  let gain = 0;
  for (let task = 0; task < row.length; task++) {
    const above = (row[task] as number) - (prices[task] as number);
    gain += above > 0 ? above : 0;
  }
  return gain;
}

function lowerWherePaid(slope: Float64Array, share: number, prices: Float64Array, row: Float64Array): void {
  for (let task = 0; task < row.length; task++) {
    const paid = (row[task] as number) > (prices[task] as number) ? share : 0;
    slope[task] = (slope[task] as number) - paid;
  }
}
