import fc from "fast-check";
import { expect, test } from "vitest";
import { SERVER_ID_VARIABLE, serverEnvironment } from "./server-environment.ts";

test("paths, locale and devices are passed on, tokens and everything unknown are not", () => {
  const own = {
    PATH: "/usr/bin",
    HOME: "/home/a",
    LC_NUMERIC: "C",
    CUDA_VISIBLE_DEVICES: "1",
    HF_HOME: "/models",
    HF_TOKEN: "hf_x",
    NVIDIA_API_KEY: "nv_x",
    CUDA_LICENSE_KEY: "c_x",
    OPENAI_API_KEY: "sk_x",
    HTTPS_PROXY: "http://user:password@proxy",
    LD_PRELOAD: "/tmp/x.so",
    NODE_OPTIONS: "--require x",
    LANG: undefined,
  };
  expect(serverEnvironment(own, {}, "id-1")).toEqual({
    PATH: "/usr/bin",
    HOME: "/home/a",
    LC_NUMERIC: "C",
    CUDA_VISIBLE_DEVICES: "1",
    HF_HOME: "/models",
    [SERVER_ID_VARIABLE]: "id-1",
  });
});

test("what the launch names wins, also a token, and never over the mark", () => {
  const launch = { HF_TOKEN: "hf_x", PATH: "/opt/bin", [SERVER_ID_VARIABLE]: "another" };
  expect(serverEnvironment({ PATH: "/usr/bin", [SERVER_ID_VARIABLE]: "outer" }, launch, "id-1")).toEqual({
    HF_TOKEN: "hf_x",
    PATH: "/opt/bin",
    [SERVER_ID_VARIABLE]: "id-1",
  });
});

test("no variable whose name speaks of a secret is inherited, whatever it begins with", () => {
  const name = fc
    .tuple(
      fc.constantFrom("", "LC_", "CUDA_", "NVIDIA_", "HF_", "XDG_"),
      fc.stringMatching(/^[A-Z_]{0,6}$/),
      fc.constantFrom("TOKEN", "KEY", "SECRET", "PASSWORD", "AUTH", "COOKIE"),
      fc.stringMatching(/^[A-Z_]{0,6}$/),
    )
    .map((parts) => parts.join(""));
  fc.assert(
    fc.property(name, (secret) => {
      expect(serverEnvironment({ [secret]: "x" }, {}, "id")).toEqual({ [SERVER_ID_VARIABLE]: "id" });
    }),
  );
});
