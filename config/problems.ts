/** Turns what zod finds into problems that name path, rule, value and line, and never a secret. */

import type { z } from 'zod';

import type { ConfigProblem } from './config-error.js';
import { writePath, type ConfigDocument, type Path } from './document.js';
import { knownKeys } from './known-keys.js';
import { didYouMean } from '../model/suggest.js';
import { valueAt } from './value-at.js';

/** Settings whose values are not shown even when they stand in the file itself. */
const secretSettings =
  /(?:^postgres\.url|accessKeyId|secretAccessKey|sessionToken|optimizelyToken|clientKey|password|privateKey|passphrase|bearer|maskKey|\.headers\..*)$/;

export function toProblems(issues: readonly z.core.$ZodIssue[], document: ConfigDocument): ConfigProblem[] {
  return issues.flatMap((issue) => describe(issue, [], document));
}

function describe(issue: z.core.$ZodIssue, above: Path, document: ConfigDocument): ConfigProblem[] {
  const path: Path = [...above, ...(issue.path as Path)];
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(path, document.value);
    return issue.keys.map((name) => ({
      path: writePath([...path, name]),
      rule: `is not a setting${didYouMean(name, known) || `; those here are ${known.join(', ')}`}`,
      at: document.at([...path, name]),
    }));
  }
  if (issue.code === 'invalid_key') {
    const rule = issue.issues[0]?.message ?? issue.message;
    return [{ path: writePath(path), rule, at: document.at(path) }];
  }
  const nested = branchMeant(issue);
  if (nested) return nested.flatMap((inner) => describe(inner, path, document));
  const value = valueAt(document.value, path);
  // Rules between settings say themselves that something is missing, in their own words.
  const missing = value === undefined && issue.code !== 'custom';
  return [
    {
      path: writePath(path),
      rule: missing ? `is missing; it ${issue.message}` : issue.message,
      ...(value === undefined ? {} : { value: show(value, path, document) }),
      at: document.at(path),
    },
  ];
}

/** Of alternatives that are mappings, the one whose keys were used has the say. */
function branchMeant(issue: z.core.$ZodIssue): readonly z.core.$ZodIssue[] | undefined {
  if (issue.code !== 'invalid_union') return undefined;
  return issue.errors.find((branch) => branch.length > 0 && branch.every((inner) => inner.path.length > 0));
}

/** The value for print, unless it is or may hold a secret. */
export function show(value: unknown, path: Path, document: ConfigDocument): string {
  const written = document.written(path);
  if (written !== undefined) return `the value of ${written}, which is not shown`;
  if (secretSettings.test(writePath(path))) return 'a secret, which is not shown';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'a mapping';
  // Addresses may carry a user and a password.
  return typeof value === 'string'
    ? `'${value.replaceAll(/\/\/[^/\s]*@/g, '//[secret]@')}'`
    : JSON.stringify(value);
}
