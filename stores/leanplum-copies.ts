/** What Leanplum's `s3CopyStatus` says of files that it was asked to copy into a bucket. */

import { z } from 'zod';

import type { Secret } from '../config/secret.js';
import { lastComponent } from '../vendors/leanplum/manifest.js';
import { quote } from './quote.js';

export interface Copies {
  /** Keys in the bucket. */
  readonly keys: readonly string[];
  /** Names of files that were not copied, each with the vendor's word where it gave one. */
  readonly failed: readonly string[];
}

/** `{ success: [{ sourceFile, destFile }] }`; what other lists are called is not documented, only that they are not it. */
export function copiesOf(
  status: Readonly<Record<string, unknown>>,
  names: readonly string[],
  secrets: readonly Secret[],
): Copies {
  const entries = (wanted: (list: string) => boolean): readonly CopyEntry[] =>
    Object.entries(status)
      .filter(([list]) => wanted(list))
      .flatMap(([, list]): unknown[] => (Array.isArray(list) ? list : []))
      .map((entry) => entryOf(entry, secrets));
  const copied = entries((list) => list === 'success');
  const failed = entries((list) => list !== 'success');
  const spokenOf = new Set([...copied, ...failed].flatMap(({ source, name }) => [source, name]));
  return {
    keys: copied.flatMap(({ key }) => (key === undefined ? [] : [key])),
    failed: [
      ...failed.map(
        ({ source, name, words }) => (source || name) + (words === undefined ? '' : ` (${words})`),
      ),
      ...names.filter((name) => !spokenOf.has(name)),
    ],
  };
}

interface CopyEntry {
  /** Last components, without the ending of a compressed copy; empty where there are none. */
  readonly source: string;
  readonly name: string;
  readonly key?: string;
  readonly words?: string;
}

const entryShape = z.looseObject({
  sourceFile: z.string().optional().catch(undefined),
  destFile: z.string().optional().catch(undefined),
  error: z.unknown().optional(),
  message: z.unknown().optional(),
  reason: z.unknown().optional(),
});

function entryOf(entry: unknown, secrets: readonly Secret[]): CopyEntry {
  if (typeof entry === 'string') return { source: lastComponent(entry), name: lastComponent(entry) };
  const fields = entryShape.safeParse(entry).data;
  const words = [fields?.error, fields?.message, fields?.reason].find((word) => typeof word === 'string');
  return {
    source: lastComponent(fields?.sourceFile ?? ''),
    name: lastComponent(fields?.destFile ?? '').replace(/\.gz$/, ''),
    ...(fields?.destFile === undefined ? {} : { key: fields.destFile }),
    ...(typeof words === 'string' ? { words: quote(words, secrets) } : {}),
  };
}
