/**
 * Turns of a run's records, by role. A request that lies across the end of its window is counted by
 * the stamps of its events where they are read, by an even share until then.
 */
import { nsToMs } from "../../core/units.ts";
import type { ChunkRecord, RequestRecord } from "../../record/request-record.ts";
import { WINDOW_ENDED } from "../../record/request-record.ts";
import type { RunManifest } from "../../record/run-manifest.ts";
import type { Membership } from "../../record/run-source.ts";
import type { TrialRecord } from "../../record/trial-record.ts";
import { COMPACTED_STEP } from "../../workload/programs/role-program.ts";
import type { AgentSpec } from "../../workload/scenario.ts";
import { roleOf } from "../../workload/scenario.ts";
import type { AgentPlan } from "../agent-plan.ts";
import type { WindowNs } from "../token-window.ts";
import { chunkTokensInWindow, tokensInWindow } from "../token-window.ts";
import type { RoleTable } from "./role-table.ts";
import { roleTable } from "./role-table.ts";
import { TrialTally } from "./role-tally.ts";
import type { ContextFault, RoleTurn, RoleTurnOutcome } from "./role-turn.ts";

export interface CellRoles extends RoleTable {
  readonly hash: string;
  readonly label: string;
}

/** A prompt of known length that came out shorter than this share of it was cut by the server: calibrations miss by less. */
const WHOLE_PROMPT_SHARE = 0.9;

interface OpenTrial {
  readonly record: TrialRecord;
  readonly window: WindowNs;
  readonly agents: ReadonlyMap<string, AgentSpec>;
  readonly tally: TrialTally;
}

/** A turn whose tokens lie on both sides of its window's edge. */
interface Straddler {
  readonly trial: OpenTrial;
  readonly role: string;
  readonly outputTokens: number;
  readonly sharedTokens: number;
}

export class MeasuredRoles {
  readonly #manifest: RunManifest;
  readonly #trials: ReadonlyMap<string, OpenTrial>;
  readonly #straddlers = new Map<string, Straddler>();

  constructor(manifest: RunManifest, trials: readonly TrialRecord[], plan: AgentPlan) {
    this.#manifest = manifest;
    this.#trials = new Map(
      trials.flatMap((record) => {
        const open = record.kind === "together" && record.status === "complete" && openTrial(record, plan);
        return open === false || open === undefined ? [] : [[record.trialId, open] as const];
      }),
    );
  }

  request(record: RequestRecord, membership: Membership = "finished"): void {
    const trial = this.#trials.get(record.trialId);
    const spec = trial?.agents.get(record.agent);
    if (trial === undefined || spec === undefined || membership === "unfinished") return;
    if (record.phase === "warm-up") return;
    const inside = tokensInWindow(record, trial.window);
    const role = roleNameOf(spec);
    if (inside?.basis === "share" && record.tokens.output !== undefined)
      this.#straddlers.set(record.requestId, {
        trial,
        role,
        outputTokens: record.tokens.output,
        sharedTokens: inside.tokens,
      });
    trial.tally.add(turnOf(record, spec, inside?.tokens ?? 0, this.#contextTokens(record)));
  }

  /** After the requests. */
  chunks(record: ChunkRecord): void {
    const straddler = this.#straddlers.get(record.requestId);
    if (straddler === undefined) return;
    const { trial, role, outputTokens, sharedTokens } = straddler;
    trial.tally.correct(role, chunkTokensInWindow(record, outputTokens, trial.window) - sharedTokens);
  }

  /** Cells with an agent in a role or a set time, in the order of their first trials. */
  finish(): readonly CellRoles[] {
    const cells = new Map<string, OpenTrial[]>();
    for (const trial of this.#trials.values())
      cells.set(trial.record.cellHash, [...(cells.get(trial.record.cellHash) ?? []), trial]);
    return [...cells].map(([hash, trials]) => ({
      hash,
      label: trials[0]?.record.cell ?? hash,
      ...roleTable(
        trials.map(({ window, tally }) => ({
          windowMs: nsToMs(window.toNs - window.fromNs),
          roles: tally.finish(),
        })),
        this.#manifest.seed,
      ),
    }));
  }

  #contextTokens({ endpoint, model }: RequestRecord): number | undefined {
    return this.#manifest.endpoints.find(
      (one) => one.name === endpoint && (one.model === undefined || one.model === model),
    )?.contextTokens;
  }
}

function openTrial(record: TrialRecord, plan: AgentPlan): OpenTrial | undefined {
  const agents = new Map(
    record.agents.flatMap((name) => {
      const spec = plan.agent(record.cellHash, name);
      return spec === undefined ? [] : [[name, spec] as const];
    }),
  );
  const isOfRoles = [...agents.values()].some((spec) => roleOf(spec) !== undefined);
  if (!isOfRoles && (record.windowNs === undefined || agents.size === 0)) return undefined;
  const toNs = record.windowNs === undefined ? record.endNs : record.barrierNs + record.windowNs;
  const seats = new Map([...agents].map(([name, spec]) => [name, roleNameOf(spec)]));
  return {
    record,
    window: { fromNs: record.barrierNs, toNs },
    agents,
    tally: new TrialTally(seats),
  };
}

/** An agent without a role stands beside the others under its program's name. */
function roleNameOf(spec: AgentSpec): string {
  return roleOf(spec)?.name ?? spec.program ?? spec.name;
}

function turnOf(
  record: RequestRecord,
  spec: AgentSpec,
  windowTokens: number,
  contextTokens: number | undefined,
): RoleTurn {
  const { stamps, tokens } = record;
  const fault = contextFaultOf(record, contextTokens);
  return {
    role: roleNameOf(spec),
    agent: record.agent,
    outcome: outcomeOf(record),
    turnMs: nsToMs(stamps.endNs - stamps.scheduledNs),
    ...(stamps.sentNs === undefined ? {} : { callMs: nsToMs(stamps.endNs - stamps.sentNs) }),
    ...(tokens.output === undefined ? {} : { outputTokens: tokens.output }),
    windowTokens,
    ...(tokens.input === undefined ? {} : { promptTokens: tokens.input }),
    ...(tokens.cached === undefined ? {} : { cachedTokens: tokens.cached }),
    continues: roleOf(spec)?.conversation.kind === "growing" && record.step !== COMPACTED_STEP,
    ...(fault === undefined ? {} : { contextFault: fault }),
  };
}

function outcomeOf({ outcome }: RequestRecord): RoleTurnOutcome {
  switch (outcome.kind) {
    case "ok":
      return "done";
    case "cancelled":
      return outcome.reason === WINDOW_ENDED ? "unfinished" : "failed";
    case "failed":
      return outcome.code === "CONTEXT_EXCEEDED" && !outcome.afterFirstToken ? "refused" : "failed";
  }
}

/** No server says so of an OpenAI answer: it follows from counts that do not go together otherwise. */
function contextFaultOf(
  { outcome, tokens, finishReason }: RequestRecord,
  contextTokens: number | undefined,
): ContextFault | undefined {
  const { input, inputTarget, output, outputLimit } = tokens;
  if (outcome.kind !== "ok") return undefined;
  if (input !== undefined && inputTarget !== undefined && input < inputTarget * WHOLE_PROMPT_SHARE)
    return "truncated";
  if (output === undefined) return undefined;
  if (input !== undefined && contextTokens !== undefined && input + output > contextTokens) return "shifted";
  return finishReason === "length" && outputLimit !== undefined && output < outputLimit ? "cut" : undefined;
}
