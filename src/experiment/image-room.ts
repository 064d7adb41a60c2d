/** What is left once somebody sends an image: vision needs room that no server at rest shows. */
import { BYTES_PER_MIB } from "../core/units.ts";
import type { LlamaServerPreset } from "../preset/preset.ts";

/**
 * Study 003's five configurations with a projector lost between 402 and 654 MiB, 534 on average, to
 * one image and the answer to it: about 200 MiB for the image's tokens, the rest scratch of the
 * projector and fragments. The projector's own compute buffer depends on the image's size.
 */
const IMAGE_BYTES = 534 * BYTES_PER_MIB;

/** The study's floor for sessions with images: what it called comfortable kept more than this. */
const VISION_FLOOR_BYTES = 1_536 * BYTES_PER_MIB;

/** What is to stay free once this server is up. */
export function floorOf({ mmproj }: Pick<LlamaServerPreset, "mmproj">, told?: number): number {
  return told ?? (mmproj === undefined ? 0 : VISION_FLOOR_BYTES);
}

/** With a second image at the same moment this must be left: the study skipped what had less after its start. */
const SECOND_IMAGE_LEAVES_BYTES = 400 * BYTES_PER_MIB;

export interface ImageRoom {
  readonly verdict: "comfortable" | "marginal" | "risky";
  readonly imageBytes: number;
  readonly freeAfterOneBytes: number;
}

/** `marginal`: one image is fine, two at once are not comfortable any more; `risky`: two at once may end the server. */
export function imageRoom(freeBytes: number): ImageRoom {
  const freeAfterOneBytes = freeBytes - IMAGE_BYTES;
  const verdict =
    freeAfterOneBytes >= VISION_FLOOR_BYTES
      ? "comfortable"
      : freeAfterOneBytes - IMAGE_BYTES >= SECOND_IMAGE_LEAVES_BYTES
        ? "marginal"
        : "risky";
  return { verdict, imageBytes: IMAGE_BYTES, freeAfterOneBytes };
}
