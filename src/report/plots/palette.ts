/**
 * The few inks of every chart. Charts are drawn with stand-in colours that occur nowhere else; in
 * the finished drawing each becomes a variable of the page's style, so that one drawing serves
 * light, dark and print. The hues are blue, vermilion, green and purple, which people with any
 * common colour blindness tell apart; shape or dash says the same again.
 */

/** Name of an ink to its stand-in. */
export const INK = {
  text: "#010101",
  faint: "#020202",
  line: "#030303",
  paper: "#040404",
  together: "#050505",
  alone: "#060606",
  ideal: "#070707",
  third: "#080808",
  fourth: "#090909",
  wait: "#0a0a0a",
  prefill: "#0b0b0b",
  decode: "#0c0c0c",
  stall: "#0d0d0d",
  lost: "#0e0e0e",
  shade: "#0f0f0f",
  heat0: "#101010",
  heat1: "#111111",
  heat2: "#121212",
  heat3: "#131313",
  heat4: "#141414",
  heat5: "#151515",
  heat6: "#161616",
  onHeat0: "#171717",
  onHeat6: "#181818",
} as const;

export type Ink = keyof typeof INK;

/** Steps of the heat map, from the least to the most. */
export const HEAT_STEPS: readonly Ink[] = ["heat0", "heat1", "heat2", "heat3", "heat4", "heat5", "heat6"];

/** For up to four agents whose work differs; more are told apart by the table, not by hue. */
export const SERIES_INKS = [INK.together, INK.alone, INK.third, INK.fourth] as const;

/** The style's variable for an ink: `var(--ink-together)`. */
export function inkVariable(ink: string): string {
  return `--ink-${ink.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
