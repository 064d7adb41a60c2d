import { describe, expect, it } from "vitest";
import { InFlightLimit } from "./in-flight-limit.ts";

describe("InFlightLimit", () => {
  it("lets in as many as the limit and the next only when one leaves, in order of arrival", async () => {
    const limit = new InFlightLimit(2);
    const first = await limit.acquire();
    await limit.acquire();
    const entered: string[] = [];
    const third = limit.acquire().then((release) => (entered.push("third"), release));
    const fourth = limit.acquire().then((release) => (entered.push("fourth"), release));
    await Promise.resolve();
    expect(entered).toEqual([]);
    first();
    (await third)();
    await fourth;
    expect(entered).toEqual(["third", "fourth"]);
  });

  it("frees a place once, however often it is given back", async () => {
    const limit = new InFlightLimit(1);
    const release = await limit.acquire();
    release();
    release();
    expect(limit.tryAcquire()).toBeDefined();
    expect(limit.tryAcquire()).toBeUndefined();
  });

  it("forgets a waiter that gave up, so that its place is not lost", async () => {
    const limit = new InFlightLimit(1);
    const release = await limit.acquire();
    const abort = new AbortController();
    const gaveUp = limit.acquire(abort.signal);
    abort.abort(new Error("Ctrl-C"));
    await expect(gaveUp).rejects.toThrow("Ctrl-C");
    release();
    expect(limit.tryAcquire()).toBeDefined();
  });

  it("without a limit never makes anybody wait", () => {
    const limit = new InFlightLimit();
    for (let index = 0; index < 1000; index++) expect(limit.tryAcquire()).toBeDefined();
  });
});
