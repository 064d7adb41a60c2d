/** The Beta distribution of a share of right answers. */
import type { RandomStream } from "../core/random.ts";
import type { Beta } from "./model-file.ts";

export function betaMean({ alpha, beta }: Beta): number {
  return alpha / (alpha + beta);
}

/** √(αβ ÷ ((α + β)²(α + β + 1))): how far the share may lie from its mean. */
export function betaSd({ alpha, beta }: Beta): number {
  const answers = alpha + beta;
  return Math.sqrt((alpha * beta) / (answers * answers * (answers + 1)));
}

/** G(α) ÷ (G(α) + G(β)) for two Gamma variates. */
export function drawBeta({ alpha, beta }: Beta, stream: RandomStream): number {
  const right = drawGamma(alpha, stream);
  const wrong = drawGamma(beta, stream);
  // Shapes far below 1 make both so small that they vanish; the larger shape decides then.
  return right + wrong > 0 ? right / (right + wrong) : Number(alpha >= beta);
}

/**
 * Marsaglia and Tsang, A simple method for generating gamma variables (2000): a cubed normal,
 * accepted by its logarithm. Shapes under 1 are drawn one higher and scaled by U^(1/shape).
 */
function drawGamma(shape: number, stream: RandomStream): number {
  if (shape < 1) return drawGamma(shape + 1, stream) * (1 - stream.next()) ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = stream.normal();
    const v = (1 + c * x) ** 3;
    if (v <= 0) continue;
    const u = 1 - stream.next();
    if (Math.log(u) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
}
