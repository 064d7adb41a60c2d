/** Requests of the socket as calls of the supervisor. */
import { OperatorError } from "../../core/errors.ts";
import type { OnProgress, Supervisor } from "../supervisor.ts";
import type { ControlResult } from "./protocol.ts";
import type { Caller, ControlHandler } from "./server.ts";

/** `onProgress` is told every step besides the caller, who may have gone. */
export function controlHandler(supervisor: Supervisor, onProgress: OnProgress): ControlHandler {
  return async (request, caller): Promise<ControlResult> => {
    const tell: OnProgress = (progress) => {
      onProgress(progress);
      caller.progress(progress);
    };
    switch (request.do) {
      case "status":
        return supervisor.status();
      case "plan":
        return supervisor.plan(request.mode);
      case "switch":
        return supervisor.switchMode(request.mode, tell);
      case "start":
        return supervisor.startPreset(request.preset, tell);
      case "stop":
        return supervisor.stopPreset(request.preset, tell);
      case "shutdown":
        await supervisor.shutdown(request.servers, tell, request.now === true ? "now" : "drain");
        return null;
      case "lease":
        return leaseWhileConnected(supervisor, request.preset, caller);
      case "borrow":
        return lendWhileConnected(supervisor, request.label, caller);
      case "use":
        return supervisor.loan(request.loan).use(request.presets, tell, caller.gone);
      case "give-back":
        return supervisor.loan(request.loan).giveBack(tell);
    }
  };
}

function leaseWhileConnected(supervisor: Supervisor, preset: string, caller: Caller): ControlResult {
  const lease = supervisor.lease(preset);
  if (caller.gone.aborted) lease.release();
  else caller.gone.addEventListener("abort", () => lease.release(), { once: true });
  return { lease: lease.id };
}

/** A borrower that is gone, by Ctrl-C or kill -9, gives back as one that says so. */
async function lendWhileConnected(
  supervisor: Supervisor,
  label: string,
  caller: Caller,
): Promise<ControlResult> {
  const loan = await supervisor.borrow(label, (trouble) =>
    caller.progress({
      step: trouble.kind,
      ...(trouble.kind === "server-lost" ? { preset: trouble.preset } : {}),
      message: trouble.message,
    }),
  );
  const giveBack = (): void => {
    // One that is over needs no return.
    if (!loan.over.aborted) void loan.giveBack().catch(ignoreOver);
  };
  if (caller.gone.aborted) giveBack();
  else caller.gone.addEventListener("abort", giveBack, { once: true });
  return { loan: loan.id };
}

/** It may have ended in the same moment by itself. */
function ignoreOver(thrown: unknown): void {
  if (!(thrown instanceof OperatorError)) throw thrown;
}
