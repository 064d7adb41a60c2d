import { createRequire } from "node:module";
import { expect, test } from "vitest";

test("a transport loads of undici what it needs, since a supervisor keeps it for months", async () => {
  await import("./http-transport.ts");
  const loaded = Object.keys(createRequire(import.meta.url).cache).filter((path) =>
    path.includes("/node_modules/undici/"),
  );
  const has = (part: string): boolean => loaded.some((path) => path.endsWith(`/undici/${part}`));
  expect(has("lib/dispatcher/client.js")).toBe(true);
  for (const rest of [
    "index.js",
    "lib/web/fetch/index.js",
    "lib/mock/mock-agent.js",
    "lib/cache/memory-cache-store.js",
  ])
    expect(has(rest), rest).toBe(false);
});
