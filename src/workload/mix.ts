/** Mixes of roles as people write them: `TL,Dev,QA`, `3xResearch`, `3xResearch,Dev,TL`. */
import { OperatorError } from "../core/errors.ts";
import { MAX_AGENTS } from "../core/limits.ts";
import type { Role } from "./role.ts";

export interface MixPart {
  /** A shipped role's name or the path of a file. */
  readonly role: string;
  readonly count: number;
}

export interface MixAgent {
  /** The role's name, numbered where the mix has it more than once. */
  readonly name: string;
  readonly role: Role;
}

/** In the order of the text. Throws MIX_INVALID. */
export function parseMix(text: string): readonly MixPart[] {
  const parts = text.split(",").map((part) => partOf(part.trim(), text));
  const agents = parts.reduce((sum, part) => sum + part.count, 0);
  if (agents > MAX_AGENTS)
    throw invalid(`has ${agents} agents; at most ${MAX_AGENTS} can run`, text, "ask for fewer");
  return parts;
}

/** One agent for each place of the mix. Throws MIX_INVALID, and what `read` throws of a role that is not there. */
export function mixAgents(text: string, read: (nameOrFile: string) => Role): readonly MixAgent[] {
  const roles = parseMix(text).flatMap(({ role, count }) => Array<Role>(count).fill(read(role)));
  const total = new Map<string, number>();
  for (const { name } of roles) total.set(name, (total.get(name) ?? 0) + 1);
  const placed = new Map<string, number>();
  return roles.map((role) => {
    const number = (placed.get(role.name) ?? 0) + 1;
    placed.set(role.name, number);
    return { name: total.get(role.name) === 1 ? role.name : `${role.name}-${number}`, role };
  });
}

function partOf(part: string, mix: string): MixPart {
  const match = /^(?:(\d+)\s*[xX×]\s*)?(\S.*)$/.exec(part);
  const role = match?.[2];
  const count = Number(match?.[1] ?? 1);
  if (role === undefined || !Number.isSafeInteger(count) || count < 1)
    throw invalid(
      part === "" ? "has an empty part" : "has a part that is neither a role nor a count and a role",
      part === "" ? mix : part,
      "write roles with commas between them, each with an optional count: TL,Dev,QA or 3xResearch,Dev",
    );
  return { role, count };
}

function invalid(rule: string, received: string, nextStep: string): OperatorError {
  return new OperatorError("MIX_INVALID", { message: `the mix ${rule}`, received, nextStep });
}
