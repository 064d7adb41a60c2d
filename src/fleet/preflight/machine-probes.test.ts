import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { temporaryDirectory } from "../../../test/fakes/temporary-directory.ts";
import { machineProbes } from "./machine-probes.ts";

describe("looking at files", () => {
  test("says what is there, through links too", () => {
    const folder = temporaryDirectory();
    const model = join(folder, "m.gguf");
    writeFileSync(model, "GGUF and the rest of it");
    symlinkSync(model, join(folder, "link.gguf"));
    symlinkSync(join(folder, "gone"), join(folder, "broken.gguf"));
    expect(machineProbes.file(join(folder, "link.gguf"))).toEqual({
      kind: "file",
      bytes: 23,
      head: "GGUF and the res",
    });
    expect(machineProbes.file(join(folder, "broken.gguf"))).toEqual({ kind: "absent" });
    expect(machineProbes.file(folder)).toEqual({ kind: "folder" });
    expect(machineProbes.file(join(model, "below"))).toEqual({ kind: "absent" });
  });

  test("does not wait on a device", (context) => {
    if (process.platform !== "linux") context.skip("/proc and /dev are Linux's own");
    expect(machineProbes.file("/dev/zero")).toEqual({ kind: "other" });
  });
});

describe("looking for programs", () => {
  test("takes the first that can be executed, and says when the only one cannot", () => {
    const folder = temporaryDirectory();
    for (const name of ["a", "b", "c"]) mkdirSync(join(folder, name));
    mkdirSync(join(folder, "a", "server"));
    writeFileSync(join(folder, "b", "server"), "x");
    writeFileSync(join(folder, "c", "server"), "x");
    chmodSync(join(folder, "c", "server"), 0o755);
    const path = (...names: string[]): string => names.map((name) => join(folder, name)).join(":");
    expect(machineProbes.program("server", path("a", "b", "c"))).toEqual({
      kind: "found",
      path: join(folder, "c", "server"),
    });
    expect(machineProbes.program("server", path("b"))).toEqual({
      kind: "not-executable",
      path: join(folder, "b", "server"),
    });
    expect(machineProbes.program("server-that-is-nowhere", path("a"))).toEqual({ kind: "absent" });
    expect(machineProbes.program(join(folder, "c", "server"))).toMatchObject({ kind: "found" });
  });
});

describe("looking at ports", () => {
  test("a port that this process holds is taken by it, and free once it is closed", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    onTestFinished(() => void server.close());
    expect(await machineProbes.port("127.0.0.1", port)).toMatchObject({ kind: "taken" });
    await new Promise((resolve) => server.close(resolve));
    expect(await machineProbes.port("127.0.0.1", port)).toEqual({ kind: "free" });
  });

  test("an address that is not this machine's is unusable", async () => {
    // 192.0.2.0/24 is kept for documentation (RFC 5737): no machine has it.
    expect(await machineProbes.port("192.0.2.1", 1)).toMatchObject({ kind: "unusable" });
  });
});
