/** The three things that a check can come to. */
import type { Check } from "../check.ts";

interface Subject {
  readonly id: string;
  readonly preset?: string;
}

export function passed(subject: Subject, message: string): Check {
  return { ...subject, passed: true, severity: "info", message };
}

/** Refuses the switch. */
export function refused(subject: Subject, message: string, remedy: string): Check {
  return { ...subject, passed: false, severity: "error", message, remedy };
}

/** Is shown, and stops nothing. */
export function warned(subject: Subject, message: string, remedy: string): Check {
  return { ...subject, passed: false, severity: "warning", message, remedy };
}
