/** What a transaction does to a model in a server that somebody else keeps: nothing of it can be ended. */
import { unloadLimitMs } from "./resident-model.ts";
import type { Fleet, Place, Server } from "./supervisor-state.ts";
import { presetFailure } from "./switch-failure.ts";
import { answerWithin } from "./switch-wait.ts";

/** Beside the waiting itself: a server under full load has been seen to take seconds to answer. */
const ANSWER_LIMIT_MS = 10_000;

export async function loadModel(fleet: Fleet, server: Server): Promise<void> {
  const { name, startLimitMs } = server.seat.preset;
  const late = `not loaded within ${startLimitMs} ms`;
  const reason = await answerWithin(fleet.world.clock, startLimitMs, server.client.load(), late);
  if (reason === undefined) return;
  throw presetFailure(fleet, "start", name, {
    code: "MODEL_LOAD_FAILED",
    message: `${name} could not be loaded: ${reason}`,
    nextStep: "check that the server has the model and the memory for it",
  });
}

/** Silence is no end of it: a server that does not answer may hold the model all the same. */
export async function unloadModel({ world }: Fleet, { client, seat }: Server): Promise<string | undefined> {
  const limitMs = unloadLimitMs(seat.preset) + ANSWER_LIMIT_MS;
  return answerWithin(world.clock, limitMs, client.unload(), `no word of its end within ${limitMs} ms`);
}

/**
 * A model that did not leave goes on serving. It is asked to stay, or it would go after its request;
 * not for a token, which would wait behind that request. Throws StepFailure.
 */
export async function keepModel(fleet: Fleet, place: Place, server: Server): Promise<void> {
  fleet.state.apply(place, { kind: "start" });
  await loadModel(fleet, server);
  fleet.state.apply(place, { kind: "became-ready" });
  fleet.journal.append({ kind: "ready", preset: place.name, serverId: server.seat.serverId });
}
