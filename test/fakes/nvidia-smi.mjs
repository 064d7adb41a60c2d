#!/usr/bin/env node
/**
 * A stand-in for nvidia-smi: answers the queries the product asks, in the text of the real
 * program, and misbehaves as FAKE_NVIDIA_SMI says: `two-cards` (default), `one-card`, `unknowns`,
 * `old-driver`, `older-driver`, `mismatch`, `no-devices`, `lost-card`, `hang`, `dies:<rounds>`, `stalls:<rounds>`,
 * `ledger`: one card of FAKE_TOTAL_MIB that holds what is claimed in the folder FAKE_CLAIMS, freed
 * FAKE_RELEASE_MS after its process.
 */
import { readClaims } from "./memory-ledger.mjs";

const [mode, count] = (process.env.FAKE_NVIDIA_SMI ?? "two-cards").split(":");
const rounds = Number(count ?? Infinity);

const card = (index, over = {}) => ({
  index: String(index),
  name: "NVIDIA GeForce RTX 4090",
  uuid: `GPU-0f3a9c51-7e24-4bb1-9d0e-00000000000${index}`,
  driver_version: "550.127.05",
  "memory.total": "24564",
  "memory.used": String(1_000 + index),
  "memory.free": String(23_082 - index),
  compute_cap: "8.9",
  "power.limit": "450.00",
  "mig.mode.current": "[N/A]",
  "utilization.gpu": "97",
  "utilization.memory": "61",
  "power.draw": "388.25",
  "clocks.current.sm": "2520",
  "clocks.current.memory": "10251",
  "temperature.gpu": "71",
  "clocks_event_reasons.active": "0x0000000000000004",
  "clocks_throttle_reasons.active": "0x0000000000000004",
  ...over,
});

const unknown = Object.fromEntries(
  Object.keys(card(0)).map((field) => [field, field === "power.draw" ? "[Unknown Error]" : "[N/A]"]),
);
const claims =
  mode === "ledger" ? readClaims(process.env.FAKE_CLAIMS, Number(process.env.FAKE_RELEASE_MS ?? 0)) : [];
const mibOf = ({ bytes }) => Math.ceil(bytes / (1024 * 1024));
const totalMib = Number(process.env.FAKE_TOTAL_MIB ?? 24_564);
const usedMib = claims.reduce((sum, each) => sum + mibOf(each), 0);
const CARDS = {
  ledger: [
    card(0, {
      "memory.total": String(totalMib),
      "memory.used": String(usedMib),
      "memory.free": String(Math.max(0, totalMib - usedMib)),
    }),
  ],
  "one-card": [card(0)],
  unknowns: [{ ...unknown, index: "0", name: "NVIDIA GeForce GTX 780" }],
};
const cards = CARDS[mode] ?? [card(0), card(1)];

const REFUSED = {
  "old-driver": ["clocks_event_reasons.active"],
  "older-driver": ["clocks_event_reasons.active", "clocks_throttle_reasons.active", "compute_cap"],
};

const say = (line) => process.stdout.write(`${line}\n`);
const end = (code) => process.exit(code);
const argument = (name) => process.argv.find((given) => given.startsWith(`${name}=`))?.slice(name.length + 1);

const loopMs = argument("--loop-ms");
const fields = argument("--query-gpu")?.split(",");

if (mode === "hang") {
  setInterval(() => undefined, 1_000);
} else if (mode === "mismatch") {
  say("Failed to initialize NVML: Driver/library version mismatch");
  say("NVML library version: 550.144");
  end(18);
} else if (mode === "no-devices") {
  say("No devices were found");
  end(6);
} else if (argument("--query-compute-apps") !== undefined) {
  if (mode === "ledger") for (const each of claims) say(`${each.pid}, ${mibOf(each)}, fake-llm-server`);
  else say("4242, 6144, /usr/local/bin/ollama");
  end(0);
} else {
  const refused = REFUSED[mode]?.find((field) => fields.includes(field));
  if (refused !== undefined) {
    say(`Field "${refused}" is not a valid field to query.`);
    say("");
    end(2);
  }
  let done = 0;
  const round = () => {
    done += 1;
    if (mode === "stalls" && done > rounds) return;
    if (done > rounds) {
      say(
        "Unable to determine the device handle for GPU0000:01:00.0: GPU is lost.  Reboot the system to recover this GPU",
      );
      end(15);
    }
    for (const each of mode === "lost-card" ? cards.slice(0, 1) : cards)
      say(fields.map((field) => each[field]).join(", "));
    if (mode === "lost-card") {
      say(
        "Unable to determine the device handle for GPU0000:02:00.0: GPU is lost.  Reboot the system to recover this GPU",
      );
      if (loopMs === undefined) end(15);
    }
  };
  round();
  if (loopMs !== undefined) setInterval(round, Number(loopMs));
}
