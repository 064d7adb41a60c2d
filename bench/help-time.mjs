// How long `slipway --help` takes, on node itself: npx adds a quarter of a second of its own.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const bin = fileURLToPath(new URL("../bin/slipway.js", import.meta.url));
const startMs = performance.now();
const { status } = spawnSync(process.execPath, [bin, "--help"], { stdio: "ignore" });
const value = performance.now() - startMs;
if (status !== 0) throw new Error(`slipway --help ended with ${status}`);
console.log(JSON.stringify([{ figure: "slipway --help", value, unit: "ms", atMost: 150 }]));
