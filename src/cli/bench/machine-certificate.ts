/** The error certificate that this machine has, if it has one. */
import type { Certificate } from "../../measure/selftest/certificate.ts";
import { certificatePath, describeMachine, loadCertificate } from "../../measure/selftest/certificate.ts";
import type { CliIo } from "../io.ts";

export function machineCertificatePath(io: Pick<CliIo, "env">): string {
  return certificatePath(describeMachine(), io.env);
}

export function loadMachineCertificate(io: Pick<CliIo, "env">): Certificate | undefined {
  return loadCertificate(machineCertificatePath(io));
}
