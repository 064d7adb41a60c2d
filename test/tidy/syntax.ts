/** One parse per file, and a walk over what it gave. */
import { parseSync } from "oxc-parser";
import type { ProjectFile } from "./source-tree.ts";
import { lineAt } from "./source-tree.ts";

/** An ESTree node, as far as the rules look into it. */
export interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

export interface ParsedFile {
  readonly file: ProjectFile;
  readonly program: SyntaxNode;
  readonly comments: readonly { readonly value: string; readonly start: number }[];
}

const parsed = new WeakMap<ProjectFile, ParsedFile>();

export function parse(file: ProjectFile): ParsedFile {
  const known = parsed.get(file);
  if (known !== undefined) return known;
  const result = parseSync(file.path, file.text);
  const broken = result.errors[0];
  if (broken !== undefined) throw new Error(`${file.path} does not parse: ${broken.message}`);
  const fresh: ParsedFile = {
    file,
    program: result.program as unknown as SyntaxNode,
    comments: result.comments,
  };
  parsed.set(file, fresh);
  return fresh;
}

/** Calls back for every node, parents first. */
export function walk(
  node: SyntaxNode,
  visit: (node: SyntaxNode, parent: SyntaxNode | undefined) => void,
  parent?: SyntaxNode,
): void {
  visit(node, parent);
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? (value as unknown[]) : [value])
      if (isNode(child)) walk(child, visit, node);
  }
}

export function isNode(value: unknown): value is SyntaxNode {
  return (
    typeof value === "object" && value !== null && typeof (value as { type?: unknown }).type === "string"
  );
}

export function lineOf(parsedFile: ParsedFile, node: { readonly start: number }): number {
  return lineAt(parsedFile.file.text, node.start);
}

/** `Date.now` for a member expression, `setTimeout` for a name, undefined for anything longer-winded. */
export function dottedName(node: SyntaxNode): string | undefined {
  if (node.type === "Identifier") return node["name"] as string;
  if (node.type !== "MemberExpression" || node["computed"] === true) return undefined;
  const object = dottedName(node["object"] as SyntaxNode);
  const property = (node["property"] as SyntaxNode)["name"] as string;
  if (object === undefined) return undefined;
  return object === "globalThis" ? property : `${object}.${property}`;
}

export interface ModuleReference {
  /** As written. */
  readonly specifier: string;
  readonly line: number;
  /** `entry`: a file that is named to be run by a worker or a child, not imported. */
  readonly kind: "import" | "entry";
  /** Names imported or re-exported; `*` and `default` for those forms. */
  readonly names: readonly string[];
}

/** Static and dynamic imports, re-exports, `import("x")` types, and files named to start a worker or a child. */
export function moduleReferences(parsedFile: ParsedFile): ModuleReference[] {
  const references: ModuleReference[] = [];
  walk(parsedFile.program, (node) => {
    const specifier = specifierOf(node);
    if (specifier === undefined) return;
    const kind = node.type === "NewExpression" ? "entry" : "import";
    references.push({ specifier, line: lineOf(parsedFile, node), kind, names: namesOf(node) });
  });
  return references;
}

function specifierOf(node: SyntaxNode): string | undefined {
  switch (node.type) {
    case "ImportDeclaration":
    case "ImportExpression":
    case "ExportAllDeclaration":
    case "ExportNamedDeclaration":
    case "TSImportType":
      return isNode(node["source"]) ? textOf(node["source"]) : undefined;
    case "NewExpression": {
      const first = (node["arguments"] as SyntaxNode[])[0];
      return isNode(node["callee"]) && dottedName(node["callee"]) === "URL" && first !== undefined
        ? relativePath(first)
        : undefined;
    }
    default:
      return undefined;
  }
}

function textOf(node: SyntaxNode): string | undefined {
  return node.type === "Literal" && typeof node["value"] === "string" ? node["value"] : undefined;
}

function relativePath(node: SyntaxNode): string | undefined {
  const text = textOf(node);
  return text !== undefined && /^\.\.?\/.*\.[jt]s$/.test(text) ? text : undefined;
}

function namesOf(node: SyntaxNode): string[] {
  const specifiers = Array.isArray(node["specifiers"]) ? (node["specifiers"] as SyntaxNode[]) : [];
  return specifiers.map((specifier) => {
    if (specifier.type === "ImportDefaultSpecifier") return "default";
    if (specifier.type === "ImportNamespaceSpecifier") return "*";
    const imported = specifier["imported"] ?? specifier["local"];
    return isNode(imported) ? String(imported["name"]) : "*";
  });
}
