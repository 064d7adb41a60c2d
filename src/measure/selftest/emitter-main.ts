/** The emitter's process: says its port on standard output and lives as long as its parent. */
import { realClock } from "../../core/clock.ts";
import { NS_PER_S } from "../../core/units.ts";
import { Emitter } from "./emitter.ts";

const parent = process.ppid;

/** A parent that was killed cannot end its children, so they look for themselves. */
function watchParent(): void {
  if (process.ppid !== parent) process.exit(0);
  realClock.timerAt(realClock.nowNs() + NS_PER_S, watchParent);
}

const port = await new Emitter(realClock).listen();
process.stdout.write(`port ${port}\n`);
watchParent();
