import assert from 'node:assert/strict';

import type pg from 'pg';

import { openDelivery } from '../../warehouse/ledger-delivery.js';
import { planLoad, type LoadPlan } from '../../warehouse/plan-load.js';
import type { PlannedFile, PlanRequest } from '../../warehouse/plan-request.js';
import { prepareSource } from '../../warehouse/prepare-source.js';
import { publishLoad } from '../../warehouse/publish-load.js';
import type { Target } from '../../warehouse/target.js';
import { optimizely } from '../../vendors/optimizely/vendor.js';

const source = 'experiments';
export const date = '2026-03-01';
export const id = `${source}/events/${date}`;
export const target: Target = {
  schema: source,
  how: 'replace',
  tables: [{ name: 'conversion', key: ['uuid'] }],
  date,
};

/** A file of so many bytes by its key; another version is another file. */
export function file(key: string, version = 'v1', size = 10): PlannedFile {
  return { key, version, size, modified: Date.parse('2026-03-02T00:00:00Z'), partitionValue: null };
}

/** The source's tables and one delivery that waits. */
export async function prepareDelivery(pool: pg.Pool): Promise<void> {
  await prepareSource(pool, { name: source, vendor: 'optimizely', schema: source }, optimizely.scripts);
  await openDelivery(pool, { id, source, type: 'events', date }, Date.parse('2026-03-05T00:00:00Z'));
}

export async function* inPages(
  files: readonly PlannedFile[],
  size = 3,
): AsyncGenerator<readonly PlannedFile[]> {
  for (let at = 0; at < files.length; at += size) yield await Promise.resolve(files.slice(at, at + size));
}

export function plan(
  pool: pg.Pool,
  files: readonly PlannedFile[],
  changes: Partial<PlanRequest> = {},
): Promise<LoadPlan> {
  return planLoad(pool, {
    deliveryId: id,
    source,
    target,
    request: 'run/load-0',
    force: false,
    files: inPages(files),
    marker: () => undefined,
    limits: { files: 2, bytes: 1_000 },
    ...changes,
  });
}

/** Stages every file of a load as one that has no rows. */
export async function stageAll(pool: pg.Pool, loadId: string): Promise<void> {
  await pool.query(
    `update landfall.load_file
     set staged_at = now(), rows_parsed = 0, rows_loaded = 0, rows_quarantined = 0, rows_duplicate = 0
     where load_id = $1 and staged_at is null`,
    [loadId],
  );
}

export async function publish(pool: pg.Pool, loadId: string): Promise<void> {
  await publishLoad(pool, {
    loadId,
    deliveryId: id,
    target,
    quarantineLimit: 0.01,
    finality: 'final',
    reason: 'by hand',
    onlyGrows: false,
  });
}

export interface KnownLoad {
  readonly id: string;
  readonly state: string;
  readonly request: string;
  readonly reason: string | null;
}

export async function loads(pool: pg.Pool): Promise<KnownLoad[]> {
  const { rows } = await pool.query<KnownLoad>(
    'select id, state, request, reason from landfall.load order by id',
  );
  return rows;
}

export async function stagingTables(pool: pg.Pool): Promise<string[]> {
  const { rows } = await pool.query<{ name: string }>(
    `select tablename as name from pg_tables where schemaname = 'landfall_staging' order by tablename`,
  );
  return rows.map(({ name }) => name);
}

export async function filesOf(pool: pg.Pool, loadId: string): Promise<[string, string, number][]> {
  const { rows } = await pool.query<{ key: string; version: string; batch: number }>(
    `select f.key, f.version, lf.batch
     from landfall.load_file lf join landfall.file f on f.id = lf.file_id
     where lf.load_id = $1 order by f.key collate "C"`,
    [loadId],
  );
  return rows.map(({ key, version, batch }) => [key, version, batch]);
}

/** What holds whatever has happened: one visible version, one being staged, and a table for that one alone. */
export async function assertSound(pool: pg.Pool): Promise<void> {
  const known = await loads(pool);
  const staging = known.filter(({ state }) => state === 'staging');
  assert.ok(staging.length <= 1, 'at most one load is being staged');
  assert.ok(known.filter(({ state }) => state === 'published').length <= 1, 'at most one is published');
  assert.deepEqual(
    await stagingTables(pool),
    staging.map((load) => `load_${load.id}_conversion`),
  );
}

/** Of landfall.load_file `lf`. */
export const countColumns =
  'array[lf.rows_parsed, lf.rows_loaded, lf.rows_quarantined, lf.rows_duplicate, lf.rows_conflicting, lf.rows_superseded]';

/** Parsed, loaded, quarantined, duplicate; and conflicting and superseded where there are any. */
export function countsOf(columns: readonly string[]): number[] {
  const counts = columns.map(Number);
  return counts.slice(4).some((count) => count > 0) ? counts : counts.slice(0, 4);
}
