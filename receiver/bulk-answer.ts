/** Elasticsearch's answer to a body in its form. */

import { bulkItems, type BulkItem } from '../vendors/dynatrace/bulk.js';

export interface BulkAnswer {
  readonly body: Buffer;
  /** Of items that name none. */
  readonly index: string;
  /** Number of the body in the inbox. */
  readonly id: string;
  /** Milliseconds. */
  readonly took: number;
}

/** Characters that are handed on together. */
const pieceLength = 64 * 1024;

/** Made as it is read: where documents are tiny, the answer is many times larger than the body. */
export function* writeBulkAnswer({ body, index: usual, id, took }: BulkAnswer): Generator<string> {
  const index = JSON.stringify(usual);
  let errors = false;
  let piece = `{"took":${Math.round(took)},"items":[`;
  let comma = '';
  for (const item of bulkItems(body)) {
    errors ||= item.fault !== undefined;
    piece += comma + answerTo(item, index, id);
    comma = ',';
    if (piece.length < pieceLength) continue;
    yield piece;
    piece = '';
  }
  // Only now is it known whether there are any.
  yield `${piece}],"errors":${errors}}\n`;
}

/** Written by hand: a thousand objects, of which nearly everything is the same, cost as much as all else that is done. */
function answerTo({ action: { kind, target }, line, fault }: BulkItem, index: string, id: string): string {
  const { _index, _type, _id } = target;
  const place =
    `{"${kind}":{"_index":${_index === undefined ? index : JSON.stringify(_index)},` +
    (_type === undefined ? '' : `"_type":${JSON.stringify(_type)},`) +
    `"_id":${_id === undefined ? `"${id}-${line}"` : JSON.stringify(_id)},`;
  if (fault === undefined) return `${place}${created}"_seq_no":${line},"_primary_term":1,"status":201}}`;
  return `${place}"status":400,"error":{"type":"illegal_argument_exception","reason":${JSON.stringify(fault)}}}}`;
}

const created = '"_version":1,"result":"created","_shards":{"total":1,"successful":1,"failed":0},';
