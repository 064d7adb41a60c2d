/**
 * Loaded into a supervisor before its own code (`node --import`): ends it by SIGKILL at one write to
 * its state, as FAKE_DIE says: `<which>:<when>:<count>`.
 *
 *   which   a step of the journal (`begin`, `drain`, …); `commit`: the replacement of fleet.json; a
 *           number: that many writes of either kind into its life
 *   when    `before` the write, `after` it, or `torn`: in the middle of it
 *   count   at the how manieth of its kind (default 1)
 */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

const [which, when, count = "1"] = (process.env.FAKE_DIE ?? "").split(":");
const supervises = process.argv[2] === "up";
const { writeSync, renameSync } = fs;
let writes = 0;
let ofItsKind = 0;

const die = () => process.kill(process.pid, "SIGKILL");

/** `kind`: undefined for what is no step. */
const isMeant = (kind) => {
  if (kind === undefined) return false;
  writes += 1;
  if (which === kind) ofItsKind += 1;
  return which === kind ? ofItsKind === Number(count) : which === String(writes);
};

const kindOf = (bytes) => /^\{"kind":"([a-z-]+)"/.exec(Buffer.from(bytes).toString("utf8", 0, 80))?.[1];

if (supervises && which) {
  fs.writeSync = (descriptor, bytes, ...rest) => {
    if (!isMeant(typeof bytes === "string" ? undefined : kindOf(bytes)))
      return writeSync(descriptor, bytes, ...rest);
    if (when === "torn") writeSync(descriptor, bytes.subarray(0, bytes.length >> 1));
    if (when === "after") writeSync(descriptor, bytes, ...rest);
    die();
    return bytes.length;
  };
  fs.renameSync = (from, to) => {
    if (!isMeant(String(to).endsWith("/fleet.json") ? "commit" : undefined)) return renameSync(from, to);
    if (when === "after") renameSync(from, to);
    die();
  };
  syncBuiltinESMExports();
}
