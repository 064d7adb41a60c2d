export interface Claim {
  readonly pid: number;
  readonly bytes: number;
}

export function readClaims(folder: string, releaseMs?: number): readonly Claim[];
