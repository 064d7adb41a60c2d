/**
 * Sums what the test suites came to: prints every failure and every skipped test with its reason,
 * and last the line `N passed, N failed, N skipped`.
 * usage: node scripts/report-tests.mjs unit=<exit code> real=<exit code>
 * A suite whose command failed without a failed test (a build or lint error, no result at all) counts as one failure.
 */
import { existsSync, readFileSync } from "node:fs";

const total = { passed: 0, failed: 0, skipped: 0 };

for (const argument of process.argv.slice(2)) {
  const [suite, exitCode] = argument.split("=");
  const path = `.cache/test-results/${suite}.json`;
  const result = existsSync(path)
    ? JSON.parse(readFileSync(path, "utf8"))
    : { passed: 0, failures: [], skips: [] };
  const failures = [...result.failures];
  if (exitCode !== "0" && failures.length === 0)
    failures.push(`the command of suite "${suite}" exited with ${exitCode}`);
  if (exitCode === "0" && !existsSync(path)) failures.push(`suite "${suite}" left no result`);
  for (const failure of failures) console.log(`failed: ${failure}`);
  for (const { test, reason } of result.skips)
    console.log(`skipped: ${test}: ${reason ?? "NO REASON GIVEN"}`);
  total.passed += result.passed;
  total.failed += failures.length;
  total.skipped += result.skips.length;
}

console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed === 0 ? 0 : 1;
