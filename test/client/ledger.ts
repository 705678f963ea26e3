import type pg from 'pg';

import type { Finality } from '../../model/delivery.js';

/** Fills a ledger by hand, so that what commands print can be told to the letter. */
export async function writeSource(pool: pg.Pool, name: string): Promise<void> {
  await pool.query(`insert into landfall.source (name, vendor, schema_name) values ($1, 'optimizely', $1)`, [
    name,
  ]);
}

export interface WrittenDelivery {
  readonly source: string;
  readonly type: string;
  readonly date: string;
  readonly finality: Finality;
  readonly reason: string;
  readonly paused?: boolean;
  readonly published?: boolean;
}

export const since = '2026-11-21T04:30:00.000Z';

export async function writeDelivery(pool: pg.Pool, delivery: WrittenDelivery): Promise<string> {
  const { source, type, date, finality, reason, paused = false, published = false } = delivery;
  const id = `${source}/${type}/${date}`;
  await pool.query(
    `insert into landfall.delivery
       (id, source, type, date, finality, since, reason, paused, deadline, published_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [
      id,
      source,
      type,
      date,
      finality,
      since,
      reason,
      paused,
      '2026-11-24T00:00:00Z',
      published ? since : null,
    ],
  );
  return id;
}

export interface WrittenLoad {
  readonly delivery: string;
  readonly state: string;
  readonly loaded: number;
  readonly quarantined?: number;
  readonly duplicate?: number;
}

export async function writeLoad(pool: pg.Pool, load: WrittenLoad): Promise<string> {
  const { delivery, state, loaded, quarantined = 0, duplicate = 0 } = load;
  const { rows } = await pool.query<{ id: string }>(
    `insert into landfall.load
       (delivery_id, request, fingerprint, state, files, bytes, rows_parsed, rows_loaded, rows_quarantined,
        rows_duplicate, reason, started_at, ended_at)
     values ($1, gen_random_uuid()::text, 'f', $2, 1, 1000, $3, $4, $5, $6, 'Complete.', $7, $7)
     returning id`,
    [delivery, state, loaded + quarantined + duplicate, loaded, quarantined, duplicate, since],
  );
  return rows[0]!.id;
}

/** A file of a load with bad rows in these lines. */
export async function writeBadFile(
  pool: pg.Pool,
  file: {
    readonly load: string;
    readonly source: string;
    readonly key: string;
    readonly lines: readonly number[];
  },
): Promise<void> {
  const { rows } = await pool.query<{ id: string }>(
    `insert into landfall.file (source, key, version, size, modified_at) values ($1, $2, 'v', 1000, $3) returning id`,
    [file.source, file.key, since],
  );
  const id = rows[0]!.id;
  await pool.query(
    `insert into landfall.load_file
       (load_id, file_id, batch, staged_at, rows_parsed, rows_loaded, rows_quarantined, rows_duplicate, first_error,
        first_error_line)
     values ($1, $2, 0, $3, 100, $4, $5, 0, 'revenue is not a number', $6)`,
    [file.load, id, since, 100 - file.lines.length, file.lines.length, file.lines[0]],
  );
  for (const line of file.lines) {
    await pool.query(
      `insert into landfall.quarantine (load_id, file_id, line, reason, raw)
       values ($1, $2, $3, 'revenue is not a number', '{"visitor_id":"private"}')`,
      [file.load, id, line],
    );
  }
}

/** A file that a load has left out. */
export async function writeUnreadableFile(
  pool: pg.Pool,
  file: { readonly load: string; readonly source: string; readonly key: string; readonly unreadable: string },
): Promise<void> {
  await pool.query(
    `with entered as (
       insert into landfall.file (source, key, version, size, modified_at) values ($2, $3, 'v', 1000, $4) returning id
     )
     insert into landfall.load_file
       (load_id, file_id, staged_at, unreadable, rows_parsed, rows_loaded, rows_quarantined, rows_duplicate)
     select $1, id, $4, $5, 0, 0, 0, 0 from entered`,
    [file.load, file.source, file.key, since, file.unreadable],
  );
}

export async function writeEvent(
  pool: pg.Pool,
  delivery: string,
  kind: string,
  reason: string,
): Promise<void> {
  await pool.query(
    `insert into landfall.delivery_event (delivery_id, at, kind, finality, reason, request)
     values ($1, $2, $3, 'final', $4, gen_random_uuid()::text)`,
    [delivery, since, kind, reason],
  );
}
