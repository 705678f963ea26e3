/** Reads YAML into plain values, and remembers of each where it stands and what it was made of. */

import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type Node } from 'yaml';

import type { ConfigProblem } from './config-error.js';
import { resolveReferences, unveilReferences, veilReferences } from './references.js';

export type Path = readonly (string | number)[];
export type Environment = Readonly<Record<string, string | undefined>>;

export interface ConfigDocument {
  readonly value: unknown;
  /** Found while reading: broken YAML, or references that cannot be resolved. */
  readonly problems: readonly ConfigProblem[];
  /** `landfall.yaml:12` of a path, or of the nearest thing above it that is there. */
  at(path: Path): string;
  /** The text as it stands in the file when it takes in environment variables: `${PASSWORD}`. */
  written(path: Path): string | undefined;
}

/** What a document may not do, by the parser's code. Its own messages quote the file, and so perhaps a secret. */
const yamlRules: Readonly<Record<string, string>> = {
  BAD_ALIAS: 'refers to an anchor that is not there',
  BAD_INDENT: 'is not indented like its neighbours',
  BAD_SCALAR_START: "begins with a letter that YAML reserves; put the value into 'quotes'",
  BLOCK_AS_IMPLICIT_KEY: "needs a new line before it, or 'quotes' around it: a value holds ': '",
  DUPLICATE_KEY: 'says the same key twice',
  MISSING_CHAR: 'misses a closing quote, bracket or brace, or a space after a colon',
  MULTIPLE_DOCS: 'begins a second document',
  TAB_AS_INDENT: 'is indented with a tab; use spaces',
};

/** An anchor may be used in many places, but a file of a few lines must not grow without bound. */
const mostAliases = 1_000;

export function readDocument(file: string, source: string, env: Environment): ConfigDocument {
  const lines = new LineCounter();
  const yaml = parseDocument(veilReferences(source), { lineCounter: lines, prettyErrors: false });
  const at = (offset: number): string => `${file}:${lines.linePos(offset).line}`;
  const problems: ConfigProblem[] = yaml.errors.map(({ code, pos }) => ({
    path: '',
    rule: yamlRules[code] ?? `is not valid YAML (${code})`,
    at: at(pos[0]),
  }));
  const offsets = new Map<string, number>();
  const references = new Map<string, string>();
  let aliases = 0;

  function plain(node: unknown, path: Path): unknown {
    if (isAlias(node)) {
      aliases += 1;
      if (aliases > mostAliases) return undefined;
      return plain(node.resolve(yaml), path);
    }
    const offset = (node as Node | null)?.range?.[0];
    if (offset !== undefined && !offsets.has(key(path))) offsets.set(key(path), offset);
    if (isMap(node)) {
      const entries = node.items.map((pair): [string, unknown] => {
        const name = unveilReferences(String(isScalar(pair.key) ? pair.key.value : pair.key));
        const start = (pair.key as Node | null)?.range?.[0];
        if (start !== undefined) offsets.set(key([...path, name]), start);
        return [name, plain(pair.value, [...path, name])];
      });
      // Not by assignment: a key may be called __proto__.
      return Object.fromEntries(entries);
    }
    if (isSeq(node)) return node.items.map((item, index) => plain(item, [...path, index]));
    if (!isScalar(node)) return undefined;
    return typeof node.value === 'string' ? resolve(node.value, path) : (node.value ?? undefined);
  }

  function resolve(veiled: string, path: Path): string | undefined {
    const { text, variables, faults } = resolveReferences(veiled, env);
    if (variables.length > 0 || faults.length > 0) references.set(key(path), unveilReferences(veiled));
    for (const rule of faults) {
      problems.push({ path: writePath(path), rule, at: at(offsets.get(key(path)) ?? 0) });
    }
    return text;
  }

  const value = problems.length > 0 ? undefined : plain(yaml.contents, []);
  return {
    value,
    problems,
    at: (path) => {
      for (let length = path.length; length >= 0; length -= 1) {
        const offset = offsets.get(key(path.slice(0, length)));
        if (offset !== undefined) return at(offset);
      }
      return `${file}:1`;
    },
    written: (path) => references.get(key(path)),
  };
}

/** `sources.experiments.types[0]`. */
export function writePath(path: Path): string {
  return path
    .map((step, index) => (typeof step === 'number' ? `[${step}]` : index === 0 ? step : `.${step}`))
    .join('');
}

function key(path: Path): string {
  return JSON.stringify(path);
}
