/** A flag's amount of memory. */
import { InvalidArgumentError } from "commander";

/** Throws commander's InvalidArgumentError. */
export function mebibytes(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0)
    throw new InvalidArgumentError("a number of MiB above 0 is needed");
  return value;
}
