import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import pg from 'pg';
import copyStreams from 'pg-copy-streams';

import { Failure, failureTypes } from '../model/failure.js';
import { copyOptions, type FileRows, type FileTable } from '../model/row-text.js';
import { stagingNames } from './names.js';
import { transaction } from './transaction.js';

/** A file of a batch that is not staged yet. */
export interface PendingFile {
  readonly id: string;
  readonly key: string;
  readonly version: string;
  readonly size: number;
  readonly modified: number;
  readonly partitionValue: string | null;
}

/** Files of a batch that still have to be staged, in key order. Throws `LoadSuperseded` once the load was given up. */
export async function pendingFiles(pool: pg.Pool, loadId: string, batch: number): Promise<PendingFile[]> {
  await assertStaging(pool, loadId);
  const { rows } = await pool.query<PendingFile & { size: string; modified: string }>(
    `select f.id, f.key, f.version, f.size, extract(epoch from f.modified_at) * 1000 as modified,
            lf.partition_value as "partitionValue"
     from landfall.load_file lf join landfall.file f on f.id = lf.file_id
     where lf.load_id = $1 and lf.batch = $2 and lf.staged_at is null
     order by f.key collate "C"`,
    [loadId, batch],
  );
  return rows.map((row) => ({ ...row, size: Number(row.size), modified: Number(row.modified) }));
}

/**
 * Copies a file into its load's staging table and enters it into the ledger, both or neither. Two attempts may do so at
 * the same time: the second to finish finds the file staged, and what it copied is rolled back.
 */
export async function stageFile(
  pool: pg.Pool,
  loadId: string,
  file: PendingFile,
  rows: FileRows,
  signal: AbortSignal,
): Promise<void> {
  await transaction(pool, async (client) => {
    // Staged rows that a crash of the server takes back are staged again: the ledger's row goes with them.
    await client.query(`set local synchronous_commit = off; set local timezone = 'UTC'`);
    const byTable = new Map(rows.tables.map(({ name }) => [name, 0]));
    const loaded = await rows.good(async (stream, table) => {
      const copied = await copyIn(client, copyStaging(loadId, table), stream, signal);
      byTable.set(table.name, (byTable.get(table.name) ?? 0) + copied);
      return copied;
    });
    const parsed = rows.parsed();
    let quarantined = 0;
    if (loaded < parsed) {
      quarantined = await rows.bad((stream) => copyIn(client, copyQuarantine, stream, signal));
    }
    if (loaded + quarantined !== parsed) {
      throw new Error(
        `${file.key}: ${parsed} rows parsed, but ${loaded} loaded and ${quarantined} quarantined. ` +
          `Nothing of the file is kept; it is staged again.`,
      );
    }
    await assertStaging(client, loadId);
    const { rowCount } = await client.query(
      `update landfall.load_file lf
       set staged_at = now(), rows_parsed = $3, rows_loaded = $4, rows_quarantined = $5, rows_duplicate = 0,
           rows_by_table = $6,
           first_error = q.reason, first_error_line = q.line
       from (select 1) as one
       left join lateral (
         select reason, line from landfall.quarantine where load_id = $1 and file_id = $2 order by line limit 1
       ) q on true
       where lf.load_id = $1 and lf.file_id = $2 and lf.staged_at is null`,
      [loadId, file.id, parsed, loaded, quarantined, JSON.stringify(Object.fromEntries(byTable))],
    );
    if (rowCount !== 1) throw new AlreadyStaged();
  }).catch(async (error: unknown) => {
    if (error instanceof AlreadyStaged || isQuarantineTwice(error)) return;
    if (isMissingTable(error)) {
      await assertStaging(pool, loadId);
      throw new Failure(
        failureTypes.stagingLost,
        `The staging table of load ${loadId} is gone, though the ledger expects it. The delivery is staged again.`,
      );
    }
    if (isRefusedRow(error)) {
      // Only the kind of fault and the place: values are somebody's data.
      const [fault] = error.message.split(':');
      const place = /line \d+(, column [^:]+)?/.exec(error.where ?? '')?.[0] ?? 'place unknown';
      throw new Failure(
        failureTypes.fileUnreadable,
        `Postgres refuses a row of ${file.key} that looked sound: ${fault} (${error.code}, ${place} of what was copied). ` +
          `Nothing of the file is kept. It is looked at again until it is written anew or the delivery's deadline passes.`,
      );
    }
    throw error;
  });
}

class AlreadyStaged extends Error {}

/** Another attempt has quarantined the same lines and committed: it has staged the file. */
function isQuarantineTwice(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === '23505' && error.table === 'quarantine';
}

/** Data exceptions (22…) and limits (54…): copying the same rows once more would end the same way. */
function isRefusedRow(error: unknown): error is pg.DatabaseError {
  return error instanceof pg.DatabaseError && /^(22|54)/.test(error.code ?? '');
}

/** The load was published (its table has become the partition) or given up while we copied. */
function isMissingTable(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === '42P01';
}

const copyQuarantine = `copy landfall.quarantine (load_id, file_id, line, reason, raw) from stdin (${copyOptions()})`;

function copyStaging(loadId: string, { name, columns, form }: FileTable): string {
  const names = columns.map((column) => pg.escapeIdentifier(column)).join(', ');
  return `copy ${stagingNames(loadId, name).table} (${names}) from stdin (${copyOptions(form)})`;
}

async function copyIn(
  client: pg.ClientBase,
  statement: string,
  rows: Readable,
  signal: AbortSignal,
): Promise<number> {
  const copy = client.query(copyStreams.from(statement));
  await pipeline(rows, copy, { signal });
  return copy.rowCount;
}

async function assertStaging(db: pg.Pool | pg.ClientBase, loadId: string): Promise<void> {
  const { rows } = await db.query<{ state: string; delivery_id: string }>(
    `select state, delivery_id from landfall.load where id = $1`,
    [loadId],
  );
  const load = rows[0];
  if (load?.state === 'staging') return;
  throw new Failure(
    failureTypes.loadSuperseded,
    `Load ${loadId} of delivery ${load?.delivery_id ?? '(unknown)'} is ${load?.state ?? 'not in the ledger'}, no ` +
      `longer being staged. The delivery is planned again.`,
  );
}
