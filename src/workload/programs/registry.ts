import type { AgentProgram } from "../agent-program.ts";
import { collector } from "./collector.ts";
import { insight } from "./insight.ts";
import { synthetic } from "./synthetic.ts";

export const PROGRAMS = { collector, insight, synthetic } as const satisfies Record<string, AgentProgram>;

export type ProgramName = keyof typeof PROGRAMS;
export const PROGRAM_NAMES = Object.keys(PROGRAMS) as [ProgramName, ...ProgramName[]];
