import { describe, expect, it } from "vitest";
import { stepNs } from "../../predict/step-time.ts";
import { expectedRates } from "./expected-rates.ts";
import { engineOptions } from "./host.ts";
import { settleOptions } from "./options.ts";

describe("what to expect of a simulated engine", () => {
  it("waits for one prefill when alone, whatever the jitter and the load time", () => {
    const settings = settleOptions({ jitter: 0.5, loadMs: 5000 });
    const { time } = engineOptions(settings);
    const prefillNs = stepNs(time, {
      decodeSequences: 0,
      decodeContextTokens: 0,
      prefills: [{ newTokens: 512, depthTokens: 0 }],
    });
    expect(expectedRates(settings, 1)?.ttftMs).toBeCloseTo(prefillNs / 1e6, 5);
  });

  it("has the last of two wait for the whole of the first when requests are served in turn", () => {
    const settings = settleOptions({ mode: "sequential" });
    const alone = expectedRates(settings, 1);
    const two = expectedRates(settings, 2);
    const aloneMs = 128_000 / (alone?.tokensPerS ?? 0);
    expect(two?.ttftMs).toBeCloseTo(aloneMs + (alone?.ttftMs ?? 0), 3);
    expect(two?.tokensPerS).toBeCloseTo(alone?.tokensPerS ?? 0, 6);
  });

  it("is unknown when the request does not fit the context", () => {
    expect(expectedRates(settleOptions({ contextTokens: 256 }), 1)).toBeUndefined();
  });
});
