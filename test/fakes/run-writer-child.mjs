// A process of its own that writes a run, for tests that kill it, race it or lock it out.
//   node run-writer-child.mjs write <runsDir> <manifest JSON> <request JSON> <trial JSON>
//     writes requests without end, and a trial after every tenth; says each number once its call has returned
//   node run-writer-child.mjs open <run directory>
//     says "ready", and on a line of input tries to open the run; says "won" or the error's code, then waits
import { once } from "node:events";
import { realClock } from "../../dist/core/clock.js";
import { createRunDirectory, openRunDirectory } from "../../dist/store/run-directory.js";

const [mode, target, ...json] = process.argv.slice(2);
const say = (word) => process.stdout.write(`${word}\n`);

if (mode === "write") {
  const [manifest, request, trial] = json.map((text) => JSON.parse(text));
  const writer = createRunDirectory({ runsDir: target, manifest, durable: false, clock: realClock });
  for (let position = 0; ; position++) {
    const requestId = `${request.trialId}/${request.agent}/${position}`;
    const chunks = {
      v: 1,
      requestId,
      firstNs: 1,
      gapsUs: Array.from({ length: position % 200 }, () => 20_000),
    };
    writer.request({ ...request, requestId, position }, chunks);
    if (position % 10 === 9) writer.trial({ ...trial, trialId: `t${position}`, repeat: position });
    say(position);
  }
}

say("ready");
await once(process.stdin, "data");
try {
  openRunDirectory({ path: target, durable: false, clock: realClock });
  say("won");
} catch (error) {
  say(error.code);
}
await once(process.stdin, "end");
