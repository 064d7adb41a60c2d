/** The first half of a switch: nobody new is let in, running requests end, servers stop or go to sleep. */
import { tellsItsWork } from "./server-activity.ts";
import type { Fleet, Place } from "./supervisor-state.ts";
import { endProcess, endServer, sleepServer, stuckFailure } from "./switch-acts.ts";
import { drainServers } from "./switch-drain.ts";
import { refuseAborted } from "./switch-failure.ts";
import type { StepRecorder } from "./switch-steps.ts";

/** Throws StepFailure when one does not end, the disk is full, or the signal was aborted. */
export async function letGo(
  fleet: Fleet,
  leave: {
    readonly label: string;
    readonly outgoing: readonly Place[];
    readonly sleepy: readonly Place[];
    /** Once it is aborted, running requests are cut off. */
    readonly cut?: AbortSignal;
  },
  steps: StepRecorder,
  signal: AbortSignal,
): Promise<void> {
  const { journal, state } = fleet;
  const { label, outgoing, sleepy } = leave;
  const leaving = [...outgoing, ...sleepy];
  if (leaving.length === 0) return;
  const names = (places: readonly Place[]): string[] => places.map(({ name }) => name);
  await steps.engines({ step: "drain", message: `${label}: ${drainMessage(leaving)}` }, async () => {
    refuseAborted(signal, "drain");
    journal.append({ kind: "drain", presets: names(leaving) });
    for (const place of leaving) if (place.condition.state === "ready") state.apply(place, { kind: "drain" });
    await drainServers(fleet, leaving, signal, leave.cut);
  });
  await steps.engines(
    { step: "stop", message: `${label}: stopping ${names(leaving).join(", ")}` },
    async () => {
      refuseAborted(signal, "stop");
      if (sleepy.length > 0) journal.append({ kind: "sleep", presets: names(sleepy) });
      journal.append({ kind: "stop", presets: names(outgoing) });
      await retryLeftovers(fleet);
      const gone = await Promise.all([
        ...outgoing.map((place) => endServer(fleet, place)),
        ...sleepy.map((place) => layDown(fleet, place)),
      ]);
      const stuck = leaving.find((_place, index) => gone[index] === false);
      if (stuck !== undefined) throw stuckFailure(fleet, stuck.name);
    },
  );
}

/** Whose work cannot be asked for is named, since an idle connection holds such a server up too. */
function drainMessage(leaving: readonly Place[]): string {
  const unseen = leaving.filter(
    ({ server }) => server?.process !== undefined && !tellsItsWork(server.seat.preset),
  );
  const names = unseen.map(({ name }) => name).join(", ");
  const aside = `, and open connections to ${names}, which cannot say what it computes`;
  return `letting running requests end${unseen.length === 0 ? "" : aside}`;
}

/** One that does not sleep is stopped: that frees no less. */
async function layDown(fleet: Fleet, place: Place): Promise<boolean> {
  const { server } = place;
  const reason =
    server === undefined || place.condition.state !== "draining"
      ? "it was not ready"
      : await sleepServer(fleet, place, server);
  if (reason === undefined) return true;
  fleet.events.warn(`${place.name} was stopped instead of put to sleep: ${reason}`, place.name);
  return endServer(fleet, place);
}

/** What hung in the kernel may have come out of it. If not, its memory is missing, and the next step says so. */
async function retryLeftovers(fleet: Fleet): Promise<void> {
  const { leftovers } = fleet.state;
  await Promise.all(
    [...leftovers].map(async (leftover) => {
      if (leftover.exit !== undefined) await leftover.client.close();
      else if ((await endProcess(fleet, leftover)) !== undefined) return;
      const index = leftovers.indexOf(leftover);
      if (index >= 0) leftovers.splice(index, 1);
    }),
  );
}
