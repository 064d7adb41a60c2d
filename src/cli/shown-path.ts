import { relative } from "node:path";

/** A path as a person in `cwd` would write it: relative where it lies below, absolute elsewhere. */
export function shownPath(path: string, cwd: string): string {
  const fromHere = relative(cwd, path);
  return fromHere === "" || fromHere.startsWith("..") ? path : fromHere;
}
