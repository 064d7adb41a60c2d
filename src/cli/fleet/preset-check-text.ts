/** The words of `slipway preset check`. */
import { printable } from "../../core/errors.ts";
import type { Check } from "../../fleet/check.ts";

export function checkText(checks: readonly Check[]): string {
  const width = Math.max(...checks.map((check) => concerned(check).length));
  const lines = checks.flatMap((check) => [
    `${markOf(check)} ${concerned(check).padEnd(width)}  ${check.id}: ${check.message}`,
    ...(check.passed || check.remedy === undefined ? [] : [`  ${"".padEnd(width)}  next: ${check.remedy}`]),
  ]);
  return `${lines.map(printable).join("\n")}\n`;
}

function concerned({ preset = "this machine" }: Check): string {
  return preset;
}

function markOf({ passed, severity }: Check): string {
  if (passed) return "✓";
  return severity === "error" ? "✗" : "–";
}
