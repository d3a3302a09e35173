/**
 * YAML text → nodes with their places. The only file that parses YAML: version 1.1, as old files were
 * written (`yes`, octal and 0x integers, merge keys), every bit of an integer kept. Nothing here knows
 * settings. Entry point: `parseSource`, which never throws on any text.
 */
import type { Alias, Document, Node, Pair } from 'yaml';
import { LineCounter, isAlias, isScalar, parseDocument, visit } from 'yaml';
import type { Problem } from './problem.ts';

export interface Place {
  readonly line: number;
  readonly column: number;
}

/** A file without errors of syntax. */
export interface Source {
  /** Undefined for an empty file. */
  readonly root: Node | undefined;
  place(node: unknown): Place;
  /** The node an alias stands for: the last of that name before it. */
  target(alias: Alias): Node | undefined;
}

/** What yaml's own codes mean; its messages are not used, since they quote the file (and passwords). */
const SYNTAX: Readonly<Record<string, string>> = {
  ALIAS_PROPS: 'an alias (*name) cannot have an anchor or tag of its own',
  BAD_ALIAS: 'an alias or anchor name is not complete',
  BAD_DIRECTIVE: 'a line that starts with % is not a directive YAML knows',
  BAD_DQ_ESCAPE: 'a backslash in double quotes is not followed by a known escape',
  BAD_INDENT: 'the indentation does not fit the lines around it, or a bracket is not closed',
  BAD_PROP_ORDER: 'an anchor or tag stands in the wrong place',
  BAD_SCALAR_START: 'text that starts with this character needs quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a second "key:" on the same line, or text with ": " without quotes',
  BLOCK_IN_FLOW: 'a block of lines cannot stand inside [ ] or { }',
  DUPLICATE_KEY: 'the same key stands twice in this map',
  KEY_OVER_1024_CHARS: 'a key is longer than 1024 characters',
  MISSING_CHAR: 'a quote, bracket, comma, colon or space is missing',
  MULTILINE_IMPLICIT_KEY: 'a key goes over more than one line, or a line lacks its ":"',
  MULTIPLE_ANCHORS: 'a value can have only one anchor',
  MULTIPLE_DOCS: 'a second document starts here ("---"); the file must be one',
  MULTIPLE_TAGS: 'a value can have only one tag',
  NON_STRING_KEY: 'a key must be text',
  RESOURCE_EXHAUSTION: 'the file is nested too deeply',
  TAB_AS_INDENT: 'a tab is used for indentation, where YAML allows only spaces',
  TAG_RESOLVE_FAILED: 'a value does not fit its tag, or its tag is not known',
  UNEXPECTED_TOKEN: 'something stands here that does not belong',
  BAD_COLLECTION_TYPE: 'a tag does not fit the kind of collection it stands before',
};

function fileProblem(
  severity: Problem['severity'],
  place: Place,
  message: string,
  expected?: string,
): Problem {
  const where = { severity, component: '', path: '', line: place.line, column: place.column };
  return expected === undefined ? { ...where, message } : { ...where, message, expected };
}

/** Reads past the errors that leave the structure clear, so that those of settings show as well. */
const HARMLESS = new Set(['DUPLICATE_KEY']);

function resolveAliases(doc: Document.Parsed, onUnknown: (alias: Alias) => void): Map<Alias, Node> {
  const anchors = new Map<string, Node>();
  const targets = new Map<Alias, Node>();
  visit(doc, {
    Node(_, node) {
      if (isAlias(node)) {
        const target = anchors.get(node.source);
        if (target === undefined) onUnknown(node);
        else targets.set(node, target);
      } else if ('anchor' in node && typeof node.anchor === 'string') {
        anchors.set(node.anchor, node);
      }
    },
  });
  return targets;
}

function parse(text: string, lines: LineCounter): Document.Parsed {
  return parseDocument(text, {
    version: '1.1',
    intAsBigInt: true,
    lineCounter: lines,
    prettyErrors: false,
    logLevel: 'error',
    stringKeys: false,
  });
}

/** Parses the text; problems of syntax go to `report`. Undefined when it is no use going on. */
export function parseSource(text: string, report: (problem: Problem) => void): Source | undefined {
  const lines = new LineCounter();
  const at = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  try {
    const doc = parse(text, lines);
    for (const error of doc.errors) {
      report(
        fileProblem('error', at(error.pos[0]), SYNTAX[error.code] ?? 'this is not valid YAML'),
      );
    }
    for (const warning of doc.warnings) {
      report(
        fileProblem('warning', at(warning.pos[0]), SYNTAX[warning.code] ?? 'this is odd YAML'),
      );
    }
    if (doc.errors.some((error) => !HARMLESS.has(error.code))) return undefined;
    let unknown = 0;
    const targets = resolveAliases(doc, (alias) => {
      unknown++;
      const message = 'an alias (*name) stands for nothing above it';
      report(fileProblem('error', at(rangeStart(alias)), message));
    });
    if (unknown > 0) return undefined;
    return {
      root: doc.contents ?? undefined,
      place: (node) => at(rangeStart(node)),
      target: (alias) => targets.get(alias),
    };
  } catch {
    report(
      fileProblem('error', at(0), 'the file cannot be read as YAML', 'less deeply nested YAML'),
    );
    return undefined;
  }
}

function rangeStart(node: unknown): number {
  const range = (node as { range?: readonly number[] | null } | undefined)?.range;
  return range?.[0] ?? 0;
}

/** A key as text: as written for a plain scalar (`3333:`, `on:`), undefined when it is no scalar. */
export function keyText(pair: Pair): string | undefined {
  if (!isScalar(pair.key)) return undefined;
  const { value, source } = pair.key;
  if (typeof value === 'string') return value;
  return source ?? String(value);
}

/** `<<`, which takes over the pairs of another map. */
export function isMergeKey(pair: Pair): boolean {
  return isScalar(pair.key) && typeof pair.key.value === 'symbol';
}
