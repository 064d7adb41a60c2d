/** The house's statistics as plain numbers, for samples that are known to have an answer. */
import { assert } from "../../core/assert.ts";
import { cohensD } from "../../stats/cohens-d.ts";
import type { Description } from "../../stats/describe.ts";
import { describe } from "../../stats/describe.ts";
import type { MannWhitney } from "../../stats/mann-whitney.ts";
import { mannWhitney } from "../../stats/mann-whitney.ts";
import type { MeanTest } from "../../stats/welch.ts";
import { welchTest } from "../../stats/welch.ts";

export function meanOf(values: readonly number[]): number {
  return described(values).mean;
}

export function described(values: readonly number[]): Description {
  const description = describe(values);
  assert(description !== undefined, "a published sample is empty");
  return description;
}

export function spreadOf(values: readonly number[]): Extract<Description["spread"], { kind: "known" }> {
  const { spread } = described(values);
  assert(spread.kind === "known", "a published sample has no spread");
  return spread;
}

export function welchOf(
  first: readonly number[],
  second: readonly number[],
): Extract<MeanTest, { kind: "tested" }> {
  const test = welchTest(first, second);
  assert(test.kind === "tested", "a published comparison has no variance");
  return test;
}

export function effectOf(first: readonly number[], second: readonly number[]): number {
  const effect = cohensD(first, second);
  assert(effect.kind === "known", "a published comparison has no variance");
  return effect.d;
}

export function mannWhitneyOf(
  first: readonly number[],
  second: readonly number[],
): Extract<MannWhitney, { kind: "tested" }> {
  const test = mannWhitney(first, second);
  assert(test.kind === "tested", "a published comparison has nothing to rank");
  return test;
}

/** From the first to the second, in per cent of the first. */
export function changePct(from: number, to: number): number {
  return (to / from - 1) * 100;
}
