/** Requests of the socket as calls of the supervisor. */
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
        await supervisor.shutdown(request.servers, tell);
        return null;
      case "lease":
        return leaseWhileConnected(supervisor, request.preset, caller);
    }
  };
}

function leaseWhileConnected(supervisor: Supervisor, preset: string, caller: Caller): ControlResult {
  const lease = supervisor.lease(preset);
  if (caller.gone.aborted) lease.release();
  else caller.gone.addEventListener("abort", () => lease.release(), { once: true });
  return { lease: lease.id };
}
