/** The solver's thread: one program at a time, in the order in which they come. */
import { parentPort } from "node:worker_threads";
import { defined } from "../../core/assert.ts";
import { messageOf } from "../../core/errors.ts";
import { loadHighsSolver } from "./highs-solver.ts";
import type { SolverReply, SolverTask } from "./worker-solver.ts";

const port = defined(parentPort, "the port to the starter of this worker");
const solver = loadHighsSolver();

port.on("message", ({ id, program, limits }: SolverTask) => {
  const reply = (answer: SolverReply["answer"]): void =>
    port.postMessage({ id, answer } satisfies SolverReply);
  solver
    .then((loaded) => loaded.solve(program, limits))
    .then(reply, (thrown: unknown) => reply({ kind: "stopped", reason: messageOf(thrown) }));
});
