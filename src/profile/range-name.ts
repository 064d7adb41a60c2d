/** PyTorch numbers each of its operations inside the range's text, which makes every name another. */
export function rangeName(text: string): string {
  return text.replace(/, (?:op_id|seq|seq_id) = \d+/g, "");
}
