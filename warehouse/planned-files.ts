/** The files of a plan, and those of them that a load has to stage. */

import { createHash } from 'node:crypto';

import type pg from 'pg';

import type { PlannedFile, PlanRequest } from './plan-request.js';

export interface Listing {
  /** Of all files. */
  readonly fingerprint: string;
  readonly files: number;
  /** Of these files, those that need no staging. */
  readonly kept: number;
  readonly bytes: number;
}

/** Digest of files in the order they come, which is that of their keys: what a version of a delivery is known by. */
export function fingerprint(): {
  add(files: readonly Pick<PlannedFile, 'key' | 'version'>[]): void;
  files(): number;
  version(): string;
} {
  const hash = createHash('sha256');
  let files = 0;
  return {
    add: (page) => {
      for (const { key, version } of page) hash.update(`${key}\0${version}\n`);
      files += page.length;
    },
    files: () => files,
    version: () => hash.copy().digest('hex'),
  };
}

/** Enters files into the ledger, page by page, and into a temporary table in the order that they come. */
export async function writeListing(client: pg.ClientBase, plan: PlanRequest): Promise<Listing> {
  await client.query(`
    create temporary table planned (
      position bigint primary key, file_id bigint not null, size bigint not null, partition_value text,
      kept boolean not null default false
    ) on commit drop`);
  const digest = fingerprint();
  let bytes = 0;
  for await (const page of plan.files) {
    const listed = `unnest($2::text[], $3::text[], $4::bigint[], $5::float8[], $6::text[])
      with ordinality as listed (key, version, size, modified, partition_value, position)`;
    const values = [
      plan.source,
      page.map((file) => file.key),
      page.map((file) => file.version),
      page.map((file) => file.size),
      page.map((file) => file.modified),
      page.map((file) => file.partitionValue),
    ];
    // What is known is not written anew: where files come one by one a day's thousands are listed a hundred times.
    await client.query(
      `insert into landfall.file (source, key, version, size, modified_at)
       select $1, key, version, size, to_timestamp(modified / 1000.0) from ${listed}
       order by position
       on conflict (source, key, version) do nothing`,
      values,
    );
    await client.query(
      `insert into planned (position, file_id, size, partition_value)
       select $7 + listed.position, f.id, listed.size, listed.partition_value
       from ${listed} join landfall.file f on f.source = $1 and f.key = listed.key and f.version = listed.version`,
      [...values, digest.files()],
    );
    digest.add(page);
    bytes += page.reduce((sum, file) => sum + file.size, 0);
  }
  return { fingerprint: digest.version(), files: digest.files(), kept: 0, bytes };
}

/**
 * Finds the planned files that need no staging, for the warehouse has their rows at this version or they are known to be
 * unreadable at it. Returns how many. Rows that lost to others are kept too, and come back when those leave.
 */
export async function keepVisible(client: pg.ClientBase, publishedId: string): Promise<number> {
  const { rowCount } = await client.query(
    `update planned p set kept = true
     from landfall.load_file lf where lf.load_id = $1 and lf.file_id = p.file_id`,
    [publishedId],
  );
  return rowCount ?? 0;
}

/** Writes the files that a load has to stage into the ledger, by batch. Returns how many batches they are. */
export async function writeFiles(
  client: pg.ClientBase,
  loadId: string,
  batchOf: (size: number) => number,
  newness: NonNullable<PlanRequest['newness']>,
): Promise<number> {
  let batches = 0;
  let last = '0';
  for (;;) {
    const { rows } = await client.query<{ position: string; size: string; key: string; modified: string }>(
      `select p.position, p.size, f.key, extract(epoch from f.modified_at) * 1000 as modified
       from planned p join landfall.file f on f.id = p.file_id
       where not p.kept and p.position > $1 order by p.position limit 1000`,
      [last],
    );
    const end = rows.at(-1);
    if (!end) return batches;
    const numbers = rows.map(({ size }) => batchOf(Number(size)));
    await client.query(
      `insert into landfall.load_file (load_id, file_id, batch, partition_value, newness)
       select $1, p.file_id, n.batch, p.partition_value, n.newness
       from unnest($2::bigint[], $3::integer[], $4::text[]) as n (position, batch, newness)
       join planned p using (position)`,
      [
        loadId,
        rows.map(({ position }) => position),
        numbers,
        rows.map(({ key, modified }) => newness({ key, modified: Number(modified) })),
      ],
    );
    last = end.position;
    batches = 1 + (numbers.at(-1) ?? -1);
  }
}

/** Writes the kept files that cannot be read into a load, for they are listed still; others like them are forgotten. */
export async function writeUnreadable(
  client: pg.ClientBase,
  loadId: string,
  publishedId: string,
): Promise<void> {
  await client.query(
    `insert into landfall.load_file
       (load_id, file_id, staged_at, unreadable, rows_parsed, rows_loaded, rows_quarantined, rows_duplicate, rows_by_table)
     select $1, lf.file_id, lf.staged_at, lf.unreadable, 0, 0, 0, 0, '{}'
     from landfall.load_file lf join planned p on p.file_id = lf.file_id and p.kept
     where lf.load_id = $2 and lf.unreadable is not null`,
    [loadId, publishedId],
  );
}
