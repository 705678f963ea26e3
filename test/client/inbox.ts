import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';

import type pg from 'pg';

import type { Finality } from '../../model/delivery.js';

/** Puts a body into the inbox by hand, with so many documents. Returns its id. */
export async function insertBody(
  pool: pg.Pool,
  source: string,
  documents: number,
  delivery?: string,
): Promise<string> {
  const body = Buffer.from('{"userSessionId":"1"}\n'.repeat(documents));
  const { rows } = await pool.query<{ id: string }>(
    `insert into landfall.inbox (source, form, body, bytes, sha256, documents, delivery_id)
     values ($1, 'documents', $2, $3, $4, $5, $6)
     returning id`,
    [
      ...[source, gzipSync(body), body.length, createHash('sha256').update(body).digest()],
      ...[documents, delivery ?? null],
    ],
  );
  return rows[0]!.id;
}

/** Enters a batch into the ledger by hand: `rum/2026-11-20/1`. */
export async function insertDelivery(pool: pg.Pool, id: string, finality: Finality): Promise<void> {
  const [source, date] = id.split('/');
  await pool.query(
    `insert into landfall.delivery (id, source, type, date, finality, since, reason, published_at)
     values ($1, $2, 'sessions', $3, $4, now(), 'By hand.', case when $4 = 'final' then now() end)`,
    [id, source, date, finality],
  );
}
