import { expect, test } from "vitest";
import { LineTemplate, type PlainField } from "./line-template.ts";

const CONTENT: PlainField = { key: "content", channel: "content" };

function learn(line: string, field = CONTENT): LineTemplate | undefined {
  const bytes = Buffer.from(`before${line}after`);
  return LineTemplate.learn(bytes, 6, bytes.length - 5, field);
}

/** The raw text that the template finds in a line, `undefined` when the line does not fit. */
function match(template: LineTemplate | undefined, line: string | Buffer): string | undefined {
  const bytes = Buffer.from(line as Buffer);
  return template?.matches(bytes, 0, bytes.length) === true
    ? bytes.toString("utf8", template.textStart, template.textEnd)
    : undefined;
}

test("a line that differs in its text and its creation time fits", () => {
  const template = learn('{"created":17,"delta":{"content": "a"},"index":0}');
  expect(match(template, '{"created":1234,"delta":{"content": "Grüße \\"x\\" \\u00e9\\n"},"index":0}')).toBe(
    'Grüße \\"x\\" \\u00e9\\n',
  );
});

test("a line that differs anywhere else, or holds an invalid value, does not fit", () => {
  const template = learn('{"created":17,"delta":{"content":"a"},"index":0}');
  for (const line of [
    '{"created":17,"delta":{"content":"a"},"index":1}',
    '{"created":017,"delta":{"content":"a"},"index":0}',
    '{"created":,"delta":{"content":"a"},"index":0}',
    '{"created":17,"delta":{"content":""},"index":0}',
    '{"created":17,"delta":{"content":"\\x"},"index":0}',
    '{"created":17,"delta":{"content":"\\u12g4"},"index":0}',
    '{"created":17,"delta":{"content":"a\tb"},"index":0}',
    '{"created":17,"delta":{"content":"a"},"index":0} ',
    '{"created":17,"delta":{"content":"a',
    '{"created":17,"delta":{"content":"a\\u12',
  ])
    expect(match(template, line), line).toBeUndefined();
  expect(
    match(template, Buffer.from('{"created":17,"delta":{"content":"\xff"},"index":0}', "latin1")),
  ).toBeUndefined();
});

test("nothing is learnt from a line whose field occurs twice or has no text", () => {
  expect(learn('{"content":"a","more":{"content":"b"}}')).toBeUndefined();
  expect(learn('{"content":""}')).toBeUndefined();
  expect(learn('{"content":null}')).toBeUndefined();
  expect(learn('{"created":1,"created":2,"content":"a"}')).toBeUndefined();
  expect(learn('{"other":"a"}')).toBeUndefined();
});

test("a key's name inside a text is no key", () => {
  const template = learn(`{"content":${JSON.stringify('say "content":"x"')}}`);
  expect(match(template, '{"content":"b"}')).toBe("b");
});
