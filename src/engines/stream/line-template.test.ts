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

test("a line that differs in its text, its creation time and its numbers fits", () => {
  const template = learn('{"created":17,"delta":{"content": "a"},"index":0}');
  expect(match(template, '{"created":1234,"delta":{"content": "Grüße \\"x\\" \\u00e9\\n"},"index":0}')).toBe(
    'Grüße \\"x\\" \\u00e9\\n',
  );
});

test("a line that differs anywhere else, or holds an invalid value, does not fit", () => {
  const template = learn('{"created":17,"delta":{"content":"a"},"index":0}');
  for (const line of [
    '{"created":17,"delta":{"content":"a"},"index":"0"}',
    '{"created":17,"delta":{"content":"a"},"index":-1}',
    '{"created":17,"delta":{"content":"a"},"index":1.}',
    '{"created":17,"delta":{"content":"a"},"index":1e999}',
    '{"created":17,"delta":{"content":"a"},"other":0}',
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
  expect(learn('{"created_at":"1","created_at":"2","content":"a"}')).toBeUndefined();
  expect(learn('{"content":"a","n":1,"m":{"n":2}}', { ...CONTENT, countKey: "n" })).toBeUndefined();
  expect(learn('{"content":"a","n":0}', { ...CONTENT, countKey: "n" })).toBeUndefined();
  expect(learn('{"other":"a"}')).toBeUndefined();
});

test("a key's name inside a text is no key", () => {
  const template = learn(`{"content":${JSON.stringify('say "content":"x"')}}`);
  expect(match(template, '{"content":"b"}')).toBe("b");
});

test("the count of tokens is read, and must be an integer above zero", () => {
  const template = learn('{"content":"a","timings":{"n":1,"ms":0.5}}', { ...CONTENT, countKey: "n" });
  expect(match(template, '{"content":"b","timings":{"n":120,"ms":1.25e-05}}')).toBe("b");
  expect(template?.tokensSoFar).toBe(120);
  for (const count of ["0", "1.5", "1e2", "-1", "null", "01"])
    expect(match(template, `{"content":"b","timings":{"n":${count},"ms":1}}`), count).toBeUndefined();
});

test("digits inside a text are no numbers", () => {
  const template = learn('{"id":"chat-12","content":"7 \\"8\\" 9"}');
  expect(match(template, '{"id":"chat-12","content":"x"}')).toBe("x");
  expect(match(template, '{"id":"chat-13","content":"x"}')).toBeUndefined();
});
