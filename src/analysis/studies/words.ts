/** Numbers inside sentences. */

export function percentText(value: number, decimals = 1): string {
  return `${numberText(value, decimals)} %`;
}

/** With a true minus sign, as everywhere a person reads. */
export function numberText(value: number, decimals: number): string {
  const text = Math.abs(value).toFixed(decimals);
  return value < 0 && Number(text) !== 0 ? `−${text}` : text;
}

/** Whole numbers with a thin group sign, as in 1,070,055. */
export function countText(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** 6.4e-5 as people write it. */
export function powerText(value: number): string {
  const [digits = "", exponent = "0"] = value.toExponential(1).split("e");
  return `${digits} × 10^${Number(exponent)}`;
}
