/** Whether two cells were asked for the same work; what a figure of unlike work says is the work. */
import { lengthsDiffer } from "../comparability.ts";
import type { ComparedCell } from "./side.ts";

export type Work = Pick<ComparedCell, "inputPerRequest" | "outputPerRequest" | "requestsPerAgent">;

/**
 * Prompts, answers and requests of an agent, each by more than a twentieth; what is unknown of a side
 * cannot be told apart. The number of agents is no part of it: sharing is what is often compared.
 */
export function isUnlikeWork(a: Work, b: Work): boolean {
  return (
    lengthsDiffer(a.inputPerRequest, b.inputPerRequest) ||
    lengthsDiffer(a.outputPerRequest, b.outputPerRequest) ||
    lengthsDiffer(a.requestsPerAgent, b.requestsPerAgent)
  );
}

export function workOf({ inputPerRequest, outputPerRequest, requestsPerAgent }: ComparedCell): Work {
  return { inputPerRequest, outputPerRequest, requestsPerAgent };
}

/** "64 tokens in, 30 out, 3 requests an agent". */
export function workText({ inputPerRequest, outputPerRequest, requestsPerAgent }: Work): string {
  const plural = requestsPerAgent?.toFixed(0) === "1" ? "" : "s";
  const requests =
    requestsPerAgent === undefined ? "" : `, ${count(requestsPerAgent)} request${plural} an agent`;
  return `${count(inputPerRequest)} tokens in, ${count(outputPerRequest)} out${requests}`;
}

function count(value: number | undefined): string {
  return value === undefined ? "an unknown number of" : value.toFixed(0);
}
