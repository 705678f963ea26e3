/** Elasticsearch's answer to a body in its form. */

import { bulkItems, type BulkItem } from '../vendors/dynatrace/bulk.js';

export interface BulkAnswer {
  readonly body: Buffer;
  readonly source: string;
  /** Number of the body in the inbox. */
  readonly id: string;
  /** Milliseconds. */
  readonly took: number;
}

/** Characters that are handed on together. */
const pieceLength = 64 * 1024;

/** Made as it is read: where documents are tiny, the answer is many times larger than the body. */
export function* writeBulkAnswer({ body, source, id, took }: BulkAnswer): Generator<string> {
  const names = { source, id };
  let piece = `{"took":${Math.round(took)},"errors":${hasFaults(body)},"items":[`;
  let comma = '';
  for (const item of bulkItems(body)) {
    piece += comma + JSON.stringify({ [item.action.kind]: answerTo(item, names) });
    comma = ',';
    if (piece.length < pieceLength) continue;
    yield piece;
    piece = '';
  }
  yield `${piece}]}\n`;
}

function hasFaults(body: Buffer): boolean {
  for (const { fault } of bulkItems(body)) if (fault !== undefined) return true;
  return false;
}

function answerTo(
  { action, line, fault }: BulkItem,
  { source, id }: { readonly source: string; readonly id: string },
): object {
  const { target } = action;
  const place = {
    _index: target['_index'] ?? source,
    ...('_type' in target ? { _type: target['_type'] } : {}),
    _id: target['_id'] ?? `${id}-${line}`,
  };
  if (fault !== undefined) {
    return { ...place, status: 400, error: { type: 'illegal_argument_exception', reason: fault } };
  }
  return {
    ...place,
    _version: 1,
    result: 'created',
    _shards: { total: 1, successful: 1, failed: 0 },
    _seq_no: line,
    _primary_term: 1,
    status: 201,
  };
}
