/** What happened, for `status` and for later: a short list in memory, and a bounded file. */
import type { Clock } from "../core/clock.ts";
import { messageOf } from "../core/errors.ts";
import type { StateDisk } from "./supervisor-disk.ts";

interface FleetEvent {
  readonly atIso: string;
  readonly level: "info" | "warning";
  readonly preset?: string;
  readonly message: string;
}

/** Enough to see what led to a failure; a fleet that is well makes a few an hour. */
const MAX_EVENTS = 200;

/** Warnings that `status` shows: one screen has room for no more. */
const MAX_WARNINGS = 10;

/** A warning older than this tells of the past, not of the state of the fleet. */
const WARNING_SHOWN_NS = 3600 * 1_000_000_000;

const EVENTS_FILE = "events.jsonl";
/** About 5,000 events, and as many again in the file before. */
const EVENTS_FILE_LIMIT_BYTES = 1024 * 1024;

export class EventLog {
  readonly #events: { readonly atNs: number; readonly event: FleetEvent }[] = [];
  readonly #clock: Clock;
  readonly #disk: StateDisk;

  constructor(clock: Clock, disk: StateDisk) {
    this.#clock = clock;
    this.#disk = disk;
  }

  note(message: string, preset?: string): void {
    this.#add("info", message, preset);
  }

  warn(message: string, preset?: string): void {
    this.#add("warning", message, preset);
  }

  /** The latest, newest last. */
  warnings(): readonly string[] {
    const since = this.#clock.nowNs() - WARNING_SHOWN_NS;
    return this.#events
      .filter(({ atNs, event }) => event.level === "warning" && atNs >= since)
      .slice(-MAX_WARNINGS)
      .map(({ event }) => event.message);
  }

  #add(level: FleetEvent["level"], message: string, preset?: string): void {
    const event: FleetEvent = {
      atIso: this.#clock.wallIso(),
      level,
      ...(preset === undefined ? {} : { preset }),
      message,
    };
    this.#keep(event);
    try {
      this.#disk.note(EVENTS_FILE, `${JSON.stringify(event)}\n`, EVENTS_FILE_LIMIT_BYTES);
    } catch (thrown) {
      // The record of events must not stop the fleet; that it has a hole is itself an event.
      const lost = `events are not being recorded: ${messageOf(thrown)}`;
      if (!this.warnings().includes(lost))
        this.#keep({ atIso: event.atIso, level: "warning", message: lost });
    }
  }

  #keep(event: FleetEvent): void {
    this.#events.push({ atNs: this.#clock.nowNs(), event });
    if (this.#events.length > MAX_EVENTS) this.#events.shift();
  }
}
