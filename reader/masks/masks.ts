/** What a file's values are masked with. */

import { createHash } from 'node:crypto';

import { blobValue, type DuckDBConnection } from '@duckdb/node-api';

import { isMasking, type MaskRule } from '../../config/mask-rules.js';
import type { Secret } from '../../config/secret.js';
import { keyVariables, macros } from './sql.js';

export interface Masks {
  /** In the order of `rulesOf`. */
  readonly rules: readonly MaskRule[];
  /** Of the hashes; absent where nothing is hashed. */
  readonly key?: Secret;
}

/** The masks of a source; undefined where all is kept, so that nothing is paid for. */
export function masksOf(source: {
  readonly mask: readonly MaskRule[];
  readonly maskKey?: Secret | undefined;
}): Masks | undefined {
  if (!isMasking(source.mask)) return undefined;
  return { rules: source.mask, ...(source.maskKey === undefined ? {} : { key: source.maskKey }) };
}

/** Makes ready what expressions of sql.ts use. Bound, since DuckDB's errors quote queries. */
export async function openMasks(connection: DuckDBConnection, masks: Masks | undefined): Promise<void> {
  if (masks === undefined) return;
  for (const macro of macros) await connection.run(macro);
  if (masks.key === undefined) return;
  const { inner, outer } = padded(masks.key);
  await connection.run(`set variable ${keyVariables.inner} = $1::blob`, [blobValue(inner)]);
  await connection.run(`set variable ${keyVariables.outer} = $1::blob`, [blobValue(outer)]);
}

/** The key as the two hashes of an HMAC begin with it, a block of 64 bytes each (RFC 2104). */
function padded(key: Secret): { readonly inner: Uint8Array; readonly outer: Uint8Array } {
  const bytes = Buffer.from(key.reveal());
  const block = Buffer.alloc(64);
  (bytes.length > 64 ? createHash('sha256').update(bytes).digest() : bytes).copy(block);
  const xor = (pad: number): Uint8Array => block.map((byte) => byte ^ pad);
  return { inner: xor(0x36), outer: xor(0x5c) };
}

/**
 * An error of DuckDB's without its words, which may quote a value that is masked; any other error, and all of them where
 * nothing is masked, as they are.
 */
export function withoutValues(error: unknown, masks: Masks | undefined, key: string): unknown {
  if (masks === undefined || !(error instanceof Error)) return error;
  const kind = /^[A-Z][\w ]* Error(?=:)/.exec(error.message)?.[0];
  if (kind === undefined) return error;
  return new Error(
    `${key}: DuckDB ends with ${kind}. What else it says is not shown, since it may quote what is masked.`,
  );
}
