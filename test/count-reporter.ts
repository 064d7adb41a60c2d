import { mkdirSync, writeFileSync } from "node:fs";
import type { Reporter, SerializedError, TestCase, TestModule } from "vitest/node";

/**
 * Writes what a run came to as `.cache/test-results/<suite>.json`, read by `scripts/report-tests.mjs`.
 * The JSON reporter that comes with vitest drops the reasons of skipped tests; here they are the point.
 */
export class CountReporter implements Reporter {
  readonly #suite: string;

  constructor(suite: string) {
    this.#suite = suite;
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const inState = (state: string): TestCase[] => tests.filter((test) => test.result().state === state);
    // A file that could not be loaded has no tests to fail, and a run cut short leaves some pending.
    const broken = modules.flatMap((module) => (module.errors().length > 0 ? [module.relativeModuleId] : []));
    const failures = [
      ...[...inState("failed"), ...inState("pending")].map(titleOf),
      ...broken,
      ...unhandledErrors.map((error) => `unhandled: ${error.message}`),
    ];
    const skips = inState("skipped").map((test) => ({ test: titleOf(test), reason: reasonOf(test) }));
    const folder = ".cache/test-results";
    mkdirSync(folder, { recursive: true });
    writeFileSync(
      `${folder}/${this.#suite}.json`,
      `${JSON.stringify({ passed: inState("passed").length, failures, skips }, null, 2)}\n`,
    );
  }
}

function titleOf(test: TestCase): string {
  return `${test.module.relativeModuleId} > ${test.fullName}`;
}

function reasonOf(test: TestCase): string | undefined {
  const result = test.result();
  return result.state === "skipped" ? result.note : undefined;
}
