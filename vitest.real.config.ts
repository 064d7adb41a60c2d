import { defineConfig } from "vitest/config";
import { CountReporter } from "./test/count-reporter.ts";

/** Tests on real servers: one file at a time, since they share two cores with the servers they start. */
export default defineConfig({
  test: {
    include: ["test/real/**/*.test.ts"],
    fileParallelism: false,
    reporters: ["default", new CountReporter("real")],
    testTimeout: 180_000,
    hookTimeout: 900_000,
  },
});
