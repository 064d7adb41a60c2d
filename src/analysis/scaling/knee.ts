/**
 * Where the memory bus stops giving throughput away: one decode step reads the weights, W bytes, once
 * for everybody, and k·C cache bytes for each agent. Up to N = W ÷ (k·C) agents most of a step is
 * the shared part; beyond it each further agent pays nearly in full. For a purely bandwidth-bound
 * decode, throughput at the knee is half of what it can ever be.
 */
import type { RunManifest } from "../../record/run-manifest.ts";
import type { ModelShape } from "../../predict/model-shape.ts";
import { findModelShape, kvBytesPerToken } from "../../predict/model-shape.ts";
import type { Ladder } from "./ladder.ts";

export type RooflineKnee =
  | {
      readonly kind: "known";
      readonly model: string;
      /** W ÷ (k·C). */
      readonly agents: number;
      readonly weightBytes: number;
      readonly kvBytesPerToken: number;
      readonly contextTokens: number;
    }
  | { readonly kind: "unknown"; readonly reason: string };

/** `shape` wins over the name that the manifest has for the model. */
export function rooflineKnee(ladder: Ladder, manifest: RunManifest, shape?: ModelShape): RooflineKnee {
  const names = new Set(
    manifest.endpoints
      .filter((endpoint) => ladder.endpoints.includes(endpoint.name))
      .flatMap(({ settings, model }) => shapeName(settings["shape"]) ?? model ?? []),
  );
  const [name] = names;
  if (shape === undefined && names.size > 1) return unknown("the ladder's agents use several models");
  if (shape === undefined && name === undefined) return unknown("the manifest names no model");
  const known = shape ?? findModelShape(name as string);
  if (known === undefined) return unknown(`the sizes of ${name} are not known`);
  const { contextTokens } = ladder;
  if (contextTokens === undefined) return unknown("the server reported no token counts");
  const perToken = kvBytesPerToken(known);
  return {
    kind: "known",
    model: known.name,
    agents: known.weightBytes / (perToken * contextTokens),
    weightBytes: known.weightBytes,
    kvBytesPerToken: perToken,
    contextTokens,
  };
}

/** The simulated engine says which sizes it was given; a model's name may stand for any. */
function shapeName(setting: string | number | boolean | undefined): string | undefined {
  return typeof setting === "string" ? setting : undefined;
}

function unknown(reason: string): RooflineKnee {
  return { kind: "unknown", reason };
}
