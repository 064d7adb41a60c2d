/** All that preflight asks of the machine, so that its checks can be tested without one. */

export type FileLook =
  | {
      readonly kind: "file";
      readonly bytes: number /** The first bytes as Latin-1 text. */;
      readonly head: string;
    }
  | { readonly kind: "folder" }
  /** A socket, a device, a pipe. */
  | { readonly kind: "other" }
  | { readonly kind: "absent" }
  /** It may be there, and this user may not read it. */
  | { readonly kind: "closed"; readonly reason: string };

export type ProgramLook =
  | { readonly kind: "found"; readonly path: string }
  | { readonly kind: "absent" }
  | { readonly kind: "not-executable"; readonly path: string };

export type PortLook =
  | { readonly kind: "free" }
  | { readonly kind: "taken"; readonly pid?: number; readonly name?: string }
  /** This user, or this machine, cannot listen there at all. */
  | { readonly kind: "unusable"; readonly reason: string };

export interface PreflightProbes {
  file(path: string): FileLook;
  /** A name without a slash is looked up on `searchPath`, else on the PATH that servers are given. */
  program(name: string, searchPath?: string): ProgramLook;
  port(host: string, port: number): Promise<PortLook>;
  /** What this user may still write there; undefined where nobody tells. */
  freeDiskBytes(path: string): number | undefined;
}
