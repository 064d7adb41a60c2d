/** A chat as one prompt: the simulated model's template. */
import { asRecord, listAt, textAt } from "../json-shape.ts";

/** `<role>: <content>` on a line each, then the word that the assistant goes on from. Undefined when it is no chat. */
export function renderChat(messages: unknown): string | undefined {
  if (!Array.isArray(messages)) return undefined;
  let prompt = "";
  for (const message of messages) {
    const record = asRecord(message);
    const role = textAt(record, "role");
    if (record === undefined || role === undefined) return undefined;
    const parts = listAt(record, "content").map((part) => textAt(asRecord(part), "text") ?? "");
    prompt += `${role}: ${textAt(record, "content") ?? parts.join("")}\n`;
  }
  return `${prompt}assistant:`;
}
