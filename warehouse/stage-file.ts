import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import pg from 'pg';
import copyStreams from 'pg-copy-streams';

import { Failure, failureTypes } from '../model/failure.js';
import {
  copyOptions,
  type FileRows,
  type FileTable,
  type GroupRows,
  type RowsOfFile,
} from '../model/row-text.js';
import { AlreadyStaged, assertStaging, enterStaged, enterUnreadable, stillPending } from './enter-staged.js';
import { stagingNames } from './names.js';
import { abandonLoad } from './plan-load.js';
import { patientTransaction } from './session.js';
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
 * Copies a file into its load's staging tables and enters it into the ledger, both or neither. Two attempts may do so at
 * the same time: the second to finish finds the file staged, and what it copied is rolled back.
 */
export function stageFile(
  pool: pg.Pool,
  loadId: string,
  file: PendingFile,
  rows: FileRows,
  signal: AbortSignal,
): Promise<void> {
  return stageFiles(pool, loadId, [file], () => Promise.resolve(alone(rows)), signal);
}

/** One file as a group: what it counts is what is copied. */
function alone(rows: FileRows): GroupRows {
  const byTable: Record<string, number> = {};
  let loaded = 0;
  let quarantined = 0;
  return {
    ...rows,
    good: async (consume) => {
      for (const { name } of rows.tables) byTable[name] = 0;
      loaded = await rows.good(async (stream, table) => {
        const copied = await consume(stream, table);
        byTable[table.name] = (byTable[table.name] ?? 0) + copied;
        return copied;
      });
      return loaded;
    },
    bad: async (consume) => (quarantined = await rows.bad(consume)),
    of: () => ({ parsed: rows.parsed(), loaded, quarantined, byTable }),
  };
}

/**
 * Copies several files of a load in one transaction, all or none, as `stageFile` does one. Where another attempt has
 * staged some of them meanwhile, what was copied is rolled back, and those that are left are read once more; so `read` is
 * asked for the rows of the files it is given, perhaps several times and for ever fewer of them. Files of which it tells
 * that they cannot be read are left out. It may throw: what it throws is thrown, and nothing of these files is staged.
 */
export async function stageFiles(
  pool: pg.Pool,
  loadId: string,
  files: readonly PendingFile[],
  read: (files: readonly PendingFile[]) => Promise<GroupRows>,
  signal: AbortSignal,
): Promise<void> {
  let left = files;
  while (left.length > 0) {
    const rows = await read(left);
    const overtaken = await transaction(pool, (client) => copyFiles(client, loadId, left, rows, signal)).then(
      () => undefined,
      async (error: unknown) => {
        if (isOvertaken(error)) return error;
        throw await inOurWords(pool, loadId, left, error);
      },
    );
    if (overtaken === undefined) return;
    const pending = await stillPending(pool, loadId, left);
    if (pending.length === left.length) throw overtaken;
    left = pending;
  }
}

async function copyFiles(
  client: pg.ClientBase,
  loadId: string,
  files: readonly PendingFile[],
  rows: GroupRows,
  signal: AbortSignal,
): Promise<void> {
  // Staged rows that a crash of the server takes back are staged again: the ledger's row goes with them.
  await client.query(`set local synchronous_commit = off; ${patientTransaction}`);
  const copied = new Map(rows.tables.map(({ name }) => [name, 0]));
  const loaded = await rows.good(async (stream, table) => {
    const count = await copyIn(client, copyStaging(loadId, table), stream, signal);
    copied.set(table.name, (copied.get(table.name) ?? 0) + count);
    return count;
  });
  const parsed = rows.parsed();
  let quarantined = 0;
  if (loaded < parsed) {
    quarantined = await rows.bad((stream) => copyIn(client, copyQuarantine, stream, signal));
  }
  const unreadable = rows.unreadable?.() ?? [];
  const sound = files.filter(({ id }) => !unreadable.some((file) => file.id === id));
  const counts = sound.map(({ id }) => rows.of(id));
  requireSameCounts(files, counts, { parsed, loaded, quarantined, byTable: Object.fromEntries(copied) });
  await assertStaging(client, loadId);
  await enterStaged(client, loadId, sound, counts);
  for (const { id, error } of unreadable) {
    if (!(await enterUnreadable(client, loadId, id, error.fault ?? error.message))) throw new AlreadyStaged();
  }
}

/** Every row that was read has been copied, and belongs to one of the files. */
function requireSameCounts(
  files: readonly PendingFile[],
  counts: readonly RowsOfFile[],
  copied: RowsOfFile,
): void {
  const sum = (of: (rows: RowsOfFile) => number): number =>
    counts.reduce((total, rows) => total + of(rows), 0);
  const { parsed, loaded, quarantined } = copied;
  const adds =
    loaded + quarantined === parsed && counts.every((one) => one.parsed === one.loaded + one.quarantined);
  const belongs =
    sum((one) => one.parsed) === parsed &&
    sum((one) => one.loaded) === loaded &&
    Object.entries(copied.byTable).every(([table, rows]) => sum((one) => one.byTable[table] ?? 0) === rows);
  if (adds && belongs) return;
  throw new Error(
    `${nameOf(files)}: ${parsed} rows parsed, but ${loaded} loaded and ${quarantined} quarantined` +
      `${belongs ? '' : ', and by file they are others'}. Nothing of it is kept; it is staged again.`,
  );
}

/** What went wrong while files were copied. */
async function inOurWords(
  pool: pg.Pool,
  loadId: string,
  files: readonly PendingFile[],
  error: unknown,
): Promise<unknown> {
  if (isMissingTable(error)) {
    await assertStaging(pool, loadId);
    const lost = `The staging table of load ${loadId} is gone, though the ledger expects it.`;
    // Else the next plan would join it.
    await transaction(pool, (client) => abandonLoad(client, loadId, lost));
    return new Failure(failureTypes.stagingLost, `${lost} The delivery is staged again.`);
  }
  if (!isRefusedRow(error)) return error;
  // Only the kind of fault and the place: values are somebody's data.
  const [kind] = error.message.split(':');
  const place = /line \d+(, column [^:]+)?/.exec(error.where ?? '')?.[0] ?? 'place unknown';
  const what = `${kind} (${error.code}, ${place} of what was copied)`;
  return new Failure(
    failureTypes.fileUnreadable,
    `Postgres refuses a row of ${nameOf(files)} that looked sound: ${what}. ` +
      `Nothing of the file is kept. It is looked at again until it is written anew or the delivery's deadline passes.`,
    { fault: `holds a row that looked sound and Postgres refuses: ${what}.` },
  );
}

/** `a.json.gz`, or `a.json.gz and 7 more files`. */
function nameOf(files: readonly PendingFile[]): string {
  const more = files.length - 1;
  return `${files[0]?.key}${more === 0 ? '' : ` and ${more} more ${more === 1 ? 'file' : 'files'}`}`;
}

/**
 * Another attempt has staged some of the files, or is about to: it has quarantined the same lines and committed, or held
 * some of them while it waited for others that we held.
 */
function isOvertaken(error: unknown): boolean {
  if (error instanceof AlreadyStaged) return true;
  if (!(error instanceof pg.DatabaseError)) return false;
  return error.code === '40P01' || (error.code === '23505' && error.table === 'quarantine');
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
