import fc from "fast-check";
import { expect, test } from "vitest";
import { shownText } from "./server-text.ts";

const SECRET = "sk-a/b+c=.0123";
const shown = shownText([["Authorization", `Bearer ${SECRET}`]]);

test.each([
  ["as it is", `bad key ${SECRET}!`, "bad key [credential]!"],
  ["with its scheme", `authorization: Bearer ${SECRET}`, "authorization: Bearer [credential]"],
  ["twice, back to back", SECRET + SECRET, "[credential][credential]"],
  ["in a URL", `/login?key=${encodeURIComponent(SECRET)}&x=1`, "/login?key=[credential]&x=1"],
  ["in a URL in lower case", "key=sk-a%2fb%2bc%3d.0123", "key=[credential]"],
  ["in JSON with escaped slashes", String.raw`{"key":"sk-a\/b+c=.0123"}`, '{"key":"[credential]"}'],
  ["in JSON with escaped letters", String.raw`sk-a\u002fb\u002Bc\u003d.0123`, "[credential]"],
  ["in JSON inside JSON", String.raw`sk-a\\/b\\u002bc=.0123`, "[credential]"],
  ["cut by an ellipsis", "the key sk-a/b+… (400 bytes)", "the key [credential]… (400 bytes)"],
  ["cut inside an escape", String.raw`the key sk-a/b\u00…`, "the key [credential]…"],
])("a credential is masked %s", (_how, said, expected) => {
  expect(shown(said)).toBe(expected);
});

test("what only begins like the credential stays", () => {
  for (const said of ["sk-a/b, sk-a/b+c=.0124", "sk-", "key sk-…", "nothing of it"])
    expect(shown(said)).toBe(said);
});

test("every header that carries a credential is known by its name, and no other is masked", () => {
  const both = shownText([
    ["X-Api-Key", "key-one"],
    ["proxy-authorization", "Basic dXNlcjpw"],
    ["user-agent", "agent-name"],
  ]);
  expect(both("key-one dXNlcjpw agent-name")).toBe("[credential] [credential] agent-name");
});

test("three characters are no secret, and would be found in every other word", () => {
  expect(shownText([["authorization", "Bearer the"]])("the other")).toBe("the other");
  expect(shownText([["authorization", "Bearer them"]])("the theme")).toBe("the [credential]e");
});

test("control characters become visible and harmless, with a credential or without", () => {
  expect(shownText([])("\u001b[31mred\u0007\nnext\tline\u009b")).toBe("\ufffd[31mred\ufffd next line\ufffd");
  expect(shown(`\u001b]0;${SECRET}\u0007`)).toBe("\ufffd]0;[credential]\ufffd");
});

test("no character of a credential can be written so that it gets through", () => {
  const spellings: readonly ((character: string) => string)[] = [
    (character) => character,
    (character) => `%${character.charCodeAt(0).toString(16).padStart(2, "0")}`,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
    (character) => JSON.stringify(character).slice(1, -1),
  ];
  const secrets = fc.string({
    unit: fc.constantFrom(...'abXY019-._~+/="&<'.split("")),
    minLength: 4,
    maxLength: 24,
  });
  fc.assert(
    fc.property(
      secrets,
      fc.infiniteStream(fc.nat(spellings.length - 1)),
      fc.string({ unit: fc.constantFrom(" ", ":", ",", "é"), maxLength: 5 }),
      (secret, choices, around) => {
        const written = secret
          .split("")
          .map((character) => spellings[choices.next().value as number]?.(character))
          .join("");
        const text = shownText([["authorization", `Bearer ${secret}`]])(`${around}${written}${around}`);
        expect(text).toBe(`${around}[credential]${around}`);
      },
    ),
  );
});
