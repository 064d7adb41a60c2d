/** A server's `/metrics` page, as llama-server and vLLM write it. */

/** `name{labels} value [timestamp]`: numbers only; NaN and infinities say nothing here. */
const SAMPLE = /^([A-Za-z_:][A-Za-z0-9_:]*)(?:\{.*\})?\s+([-+0-9.eE]+)(?:\s+-?\d+)?$/;

/** Values by metric name, summed over labels. Lines that are no sample are left out. */
export function readPrometheus(page: string): ReadonlyMap<string, number> {
  const values = new Map<string, number>();
  for (const line of page.split("\n")) {
    const [, name, text] = SAMPLE.exec(line.trim()) ?? [];
    const value = Number(text);
    if (name !== undefined && Number.isFinite(value)) values.set(name, (values.get(name) ?? 0) + value);
  }
  return values;
}
