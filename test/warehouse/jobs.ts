import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type pg from 'pg';

import { readFile } from '../../reader/read-file.js';
import type { CsvKind } from '../../vendors/leanplum/layout.js';
import { leanplum } from '../../vendors/leanplum/vendor.js';
import { openDelivery } from '../../warehouse/ledger-delivery.js';
import { stagingNames } from '../../warehouse/names.js';
import { planLoad } from '../../warehouse/plan-load.js';
import { prepareSource } from '../../warehouse/prepare-source.js';
import { publishLoad } from '../../warehouse/publish-load.js';
import type { PublishedLoad, PublishRequest } from '../../warehouse/publish-request.js';
import { pendingFiles, stageFile } from '../../warehouse/stage-file.js';
import type { Target } from '../../warehouse/target.js';
import { reading } from '../reader/reading.js';
import { countColumns, countsOf, file, inPages } from './planning.js';

/** A source of Leanplum jobs, whose steps are called by hand; of two jobs the one of the later name is newer. */
export const source = 'sessions';
export const target: Target = { schema: 'leanplum', date: '2026-11-20', ...leanplum.landing('sessions') };

export async function prepareJobs(pool: pg.Pool): Promise<void> {
  await prepareSource(pool, { name: source, vendor: leanplum.name, schema: target.schema }, leanplum.scripts);
}

export interface JobPart {
  readonly key: string;
  readonly bytes: string | Buffer;
}

/** A shard of a CSV job by what follows `-output` in its name: `events-10`. */
export function shard(job: string, name: `${CsvKind | ''}-${number}`, ...lines: string[]): JobPart {
  const uuid = `00000000-0000-4000-8000-${job.padStart(12, '0')}`;
  return { key: `20261120/export-1-${uuid}-output${name}`, bytes: lines.map((line) => `${line}\n`).join('') };
}

export function deliveryOf(job: string): string {
  return `${source}/${job}`;
}

let requests = 0;

/** Plans a load of files, without staging them; returns the load. */
export async function planJob(pool: pg.Pool, job: string, keys: readonly string[]): Promise<string> {
  const deliveryId = deliveryOf(job);
  await openDelivery(pool, { id: deliveryId, source, type: 'sessions', date: target.date }, 0);
  const { loadId } = await planLoad(pool, {
    ...{ deliveryId, source, target, request: `load-${++requests}`, force: true },
    ...{ marker: () => undefined, files: inPages(keys.map((key) => file(key))) },
    limits: { files: 1_000, bytes: 1e9 },
    newness: () => job,
  });
  return loadId;
}

/** Plans a load and stages all its files, as a step does. */
export async function stageJob(pool: pg.Pool, job: string, parts: readonly JobPart[]): Promise<string> {
  const loadId = await planJob(
    pool,
    job,
    parts.map(({ key }) => key),
  );
  await reading(async (at) => {
    for (const pending of await pendingFiles(pool, loadId, 0)) {
      const { id: fileId, key } = pending;
      const path = join(at.folder, 'part');
      await writeFile(path, parts.find((part) => part.key === key)?.bytes ?? '');
      const constants = { exportDate: target.date, partitionValue: null, loadId, fileId };
      const shape = leanplum.shape('sessions', key);
      const rows = await readFile(at.connection, shape, { path, key }, constants, at, at.signal);
      await stageFile(pool, loadId, pending, rows, at.signal);
    }
  });
  return loadId;
}

export function publishJob(
  pool: pg.Pool,
  job: string,
  loadId: string,
  changes: Partial<PublishRequest> = {},
): Promise<PublishedLoad> {
  return publishLoad(pool, {
    ...{ loadId, deliveryId: deliveryOf(job), target, quarantineLimit: 0.5 },
    ...{ finality: 'final', reason: 'by hand', onlyGrows: false },
    ...changes,
  });
}

export async function loadJob(pool: pg.Pool, job: string, parts: readonly JobPart[]): Promise<PublishedLoad> {
  return publishJob(pool, job, await stageJob(pool, job, parts));
}

/** Headers of CSV files, as far as the tests of this folder need them. */
export const headers = {
  sessions: 'sessionId,userId',
  states: 'stateId,sessionId,stateName',
  events: 'eventId,stateId,sessionId,eventName',
  parameters: 'eventId,name,value',
  attributes: 'sessionId,name,value',
  experiments: 'experimentId,sessionId,variantId',
} as const;

/** Rows of a table as texts, by its key. */
export async function rowsOf(
  pool: pg.Pool,
  table: string,
  ...columns: readonly string[]
): Promise<(string | null)[][]> {
  const { rows } = await pool.query<(string | null)[]>({
    text: `select ${columns.map((column) => `t.${column}::text`).join(', ')} from leanplum.${table} t
           order by ${table === 'session' ? 't.session_id' : 't.session_id, t.ordinal'}`,
    rowMode: 'array',
  });
  return rows;
}

/** Of each file of a load, by what follows `-output`: see countsOf. */
export async function countsByFile(pool: pg.Pool, loadId: string): Promise<Record<string, number[]>> {
  const { rows } = await pool.query<{ name: string; counts: string[] }>(
    `select split_part(f.key, '-output', 2) as name,
       ${countColumns} as counts
     from landfall.load_file lf join landfall.file f on f.id = lf.file_id where load_id = $1
     order by f.key collate "C"`,
    [loadId],
  );
  return Object.fromEntries(rows.map(({ name, counts }) => [name, countsOf(counts)]));
}

/** A JSON job's rows of one session, put into staging as its reader would. */
export async function stageJson(
  pool: pg.Pool,
  job: string,
  session: string,
  events: number,
): Promise<string> {
  const part = shard(job, '-0');
  const loadId = await planJob(pool, job, [part.key]);
  const { rows } = await pool.query<{ id: string }>('select id from landfall.file where key = $1', [
    part.key,
  ]);
  const fileId = rows[0]!.id;
  const into = (table: string): string => stagingNames(loadId, table).table;
  await pool.query(`
    insert into ${into('session')} (session_id, user_id, _file_id, _line)
      values (${session}, '${job}', ${fileId}, 1);
    insert into ${into('state')} (session_id, ordinal, state_id, name, _file_id, _line)
      values (${session}, 1, 5, 'json', ${fileId}, 1);
    insert into ${into('state_parameter')} (session_id, ordinal, state_ordinal, state_id, name, _file_id, _line)
      values (${session}, 1, 1, 5, 'json', ${fileId}, 1);
    insert into ${into('event')} (session_id, ordinal, state_ordinal, has_state, event_id, name, _file_id, _line)
      select ${session}, n, 7, false, 100 - n, 'json', ${fileId}, 1 from generate_series(1, ${events}) n`);
  await pool.query(
    `update landfall.load_file
     set staged_at = now(), rows_parsed = 1, rows_loaded = 1, rows_quarantined = 0, rows_duplicate = 0,
         rows_by_table = $2
     where load_id = $1`,
    [loadId, { session: 1, state: 1, state_parameter: 1, event: events }],
  );
  return loadId;
}
