import type { CliIo } from "../io.ts";

export function loadMachineCertificate(_io: CliIo): unknown {
  return undefined;
}
