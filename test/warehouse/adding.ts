/** Deliveries whose files come one by one, as tests load them by hand. */

import assert from 'node:assert/strict';
import { Readable } from 'node:stream';

import type pg from 'pg';

import { rowText, type FileTable, type GroupRows, type RowsOfFile } from '../../model/row-text.js';
import { openDelivery } from '../../warehouse/ledger-delivery.js';
import { planLoad, type LoadPlan } from '../../warehouse/plan-load.js';
import type { PlanRequest } from '../../warehouse/plan-request.js';
import { publishLoad } from '../../warehouse/publish-load.js';
import type { PublishedLoad, PublishRequest } from '../../warehouse/publish-request.js';
import { pendingFiles, stageFiles, type PendingFile } from '../../warehouse/stage-file.js';
import type { Target } from '../../warehouse/target.js';
import { leaveOut } from '../../warehouse/unreadable-files.js';
import { countColumns, countsOf, file, inPages } from './planning.js';
import { createSessionTables } from './session-tables.js';

/** A session by its id, with so many items, and what it says: else its file and version; or a line that is no session. */
export type Line = readonly [session: string, items: number, says?: string] | 'bad';

/** A file: its lines, or that it cannot be read. */
export interface Written {
  readonly key: string;
  readonly version: string;
  readonly lines: readonly Line[] | 'unreadable';
}

export function written(key: string, version: string, ...lines: readonly Line[]): Written {
  return { key, version, lines };
}

export interface Visits {
  readonly pool: pg.Pool;
  readonly source: string;
  readonly delivery: string;
  readonly target: Target;
}

const visitTables: Target['tables'] = [
  { name: 'session', key: ['session_id'] },
  { name: 'item', key: ['session_id', 'ordinal'] },
];

let sources = 0;
let requests = 0;

/** A new source with its tables. */
export async function openVisits(pool: pg.Pool): Promise<Visits> {
  const source = `visits_${++sources}`;
  const target: Target = {
    ...{ schema: source, date: '2026-11-20', how: 'merge', adds: true },
    tables: visitTables,
  };
  await createSessionTables(pool, source, 'monetate', target);
  return deliveryOf({ pool, source, delivery: '', target });
}

/** A delivery of the same source. */
export async function deliveryOf(visits: Visits, date = '2026-11-20'): Promise<Visits> {
  const { pool, source } = visits;
  const delivery = `${source}/${date}`;
  await openDelivery(pool, { id: delivery, source, type: 'sessions', date }, 0);
  return { ...visits, delivery, target: { ...visits.target, date } };
}

export function plan(
  { pool, source, delivery, target }: Visits,
  files: readonly Written[],
  changes: Partial<PlanRequest> = {},
): Promise<LoadPlan> {
  const listed = files.map(({ key, version }) => file(key, version)).sort((a, b) => (a.key < b.key ? -1 : 1));
  return planLoad(pool, {
    ...{ deliveryId: delivery, source, target, request: `load-${++requests}`, force: false },
    ...{ marker: () => undefined, files: inPages(listed), limits: { files: 2, bytes: 1e9 } },
    newness: () => target.date,
    ...changes,
  });
}

const tables: readonly [FileTable, FileTable] = [
  { name: 'session', columns: ['session_id', 'says', '_file_id', '_line'] },
  { name: 'item', columns: ['session_id', 'ordinal', 'says', '_file_id', '_line'] },
];

/** The rows of files, as a reader would hand them over. */
export function rowsOf(
  loadId: string,
  pending: readonly PendingFile[],
  files: readonly Written[],
): GroupRows {
  const lines = pending.flatMap(({ id, key, version }) => {
    const found = files.find((one) => one.key === key && one.version === version)?.lines ?? [];
    assert.ok(found !== 'unreadable', `${key} is left out, not read`);
    return found.map((line, index) => ({ id, line, number: String(index + 1), says: `${key} ${version}` }));
  });
  const sessions = lines.flatMap(({ id, line, number, says }) =>
    line === 'bad' ? [] : [{ id, session: line[0], items: line[1], number, says: line[2] ?? says }],
  );
  const bad = lines.filter(({ line }) => line === 'bad');
  const of = (fileId: string): RowsOfFile => {
    const mine = sessions.filter(({ id }) => id === fileId);
    const quarantined = bad.filter(({ id }) => id === fileId).length;
    const item = mine.reduce((sum, { items }) => sum + items, 0);
    return {
      ...{ parsed: mine.length + quarantined, loaded: mine.length, quarantined },
      byTable: { session: mine.length, item },
    };
  };
  return {
    tables,
    good: async (consume) => {
      const items = sessions.flatMap(({ id, session, items: count, number, says }) =>
        Array.from({ length: count }, (_, index) => rowText([session, String(index + 1), says, id, number])),
      );
      const texts = sessions.map(({ id, session, number, says }) => rowText([session, says, id, number]));
      await consume(Readable.from(items), tables[1]);
      return consume(Readable.from(texts), tables[0]);
    },
    bad: (consume) =>
      consume(Readable.from(bad.map(({ id, number }) => rowText([loadId, id, number, 'no session', 'x'])))),
    parsed: () => lines.length,
    of,
  };
}

/** Stages all files of a load, as its steps do. */
export async function stage(
  { pool }: Visits,
  { loadId, batches }: LoadPlan,
  files: readonly Written[],
): Promise<string[]> {
  const staged: string[] = [];
  for (let batch = 0; batch < batches; batch += 1) {
    const pending = await pendingFiles(pool, loadId, batch);
    const unreadable = pending.filter(({ key, version }) =>
      files.some((one) => one.key === key && one.version === version && one.lines === 'unreadable'),
    );
    for (const one of unreadable) await leaveOut(pool, loadId, one, 'its gzip is cut off.');
    const readable = pending.filter((one) => !unreadable.includes(one));
    const read = (some: readonly PendingFile[]): Promise<GroupRows> =>
      Promise.resolve(rowsOf(loadId, some, files));
    await stageFiles(pool, loadId, readable, read, new AbortController().signal);
    staged.push(...pending.map(({ key }) => key));
  }
  return staged;
}

export function publish(
  { pool, delivery, target }: Visits,
  loadId: string,
  changes: Partial<PublishRequest> = {},
): Promise<PublishedLoad> {
  return publishLoad(pool, {
    ...{ loadId, deliveryId: delivery, target, quarantineLimit: 1 },
    ...{ finality: 'provisional', reason: 'by hand', onlyGrows: false },
    ...changes,
  });
}

/** Loads what is listed; returns the keys of the files that were staged. */
export async function load(
  visits: Visits,
  files: readonly Written[],
  changes: Partial<PlanRequest> = {},
): Promise<string[]> {
  const planned = await plan(visits, files, changes);
  if (planned.published) return [];
  const staged = await stage(visits, planned, files);
  await publish(visits, planned.loadId);
  return staged;
}

/** What readers see: of each session its file, version and line, and its items' ordinals with theirs. */
export async function seen({ pool, source }: Visits): Promise<[string, string, string][]> {
  const { rows } = await pool.query<[string, string, string]>({
    text: `
      select s.session_id, concat_ws(' ', s.says, s._line),
        coalesce(string_agg(concat_ws(' ', i.ordinal, i.says, i._line), ', ' order by i.ordinal), '')
      from ${source}.session s left join ${source}.item i using (session_id)
      group by s.session_id order by 1`,
    rowMode: 'array',
  });
  return rows;
}

/** Of each file that readers see, by key and version: see countsOf; or why it was left out. */
export async function countsByFile({ pool, delivery }: Visits): Promise<Record<string, number[] | string>> {
  const { rows } = await pool.query<{ name: string; counts: string[]; unreadable: string | null }>(
    `select f.key || ' ' || f.version as name, lf.unreadable,
            ${countColumns} as counts
     from landfall.load l
     join landfall.load_file lf on lf.load_id = l.id
     join landfall.file f on f.id = lf.file_id
     where l.delivery_id = $1 and l.state = 'published'
     order by f.key collate "C", f.version`,
    [delivery],
  );
  return Object.fromEntries(
    rows.map(({ name, counts, unreadable }) => [name, unreadable ?? countsOf(counts)]),
  );
}

/** What holds whatever has happened: the ledger says of each file what is in the tables, and of the load their sum. */
export async function assertSound({ pool, source, delivery }: Visits): Promise<void> {
  const differing = await pool.query(
    `select f.key, f.version, lf.rows_loaded, s.there, lf.rows_quarantined, lf.rows_conflicting, q.bad
     from landfall.load l
     join landfall.load_file lf on lf.load_id = l.id
     join landfall.file f on f.id = lf.file_id
     cross join lateral (select count(*) as there from ${source}.session where _file_id = f.id) s
     cross join lateral (
       select count(*) as bad from landfall.quarantine where load_id = l.id and file_id = f.id
     ) q
     where l.delivery_id = $1 and l.state = 'published'
       and (lf.rows_loaded <> s.there or lf.rows_quarantined + lf.rows_conflicting <> q.bad or lf.staged_at is null)`,
    [delivery],
  );
  assert.deepEqual(differing.rows, [], 'the ledger counts what is there');
  const sums = await pool.query(
    `select l.id from landfall.load l
     cross join lateral (
       select count(*) as files, sum(rows_parsed) as parsed, sum(rows_loaded) as loaded, count(distinct f.key) as keys
       from landfall.load_file lf join landfall.file f on f.id = lf.file_id
       where lf.load_id = l.id and lf.unreadable is null
     ) s
     where l.delivery_id = $1 and l.state = 'published'
       and (s.files, s.keys, coalesce(s.parsed, 0), coalesce(s.loaded, 0))
         is distinct from (l.files::bigint, l.files::bigint, l.rows_parsed::numeric, l.rows_loaded::numeric)`,
    [delivery],
  );
  assert.deepEqual(sums.rows, [], 'the load counts what its files do, each once');
  const strays = await pool.query(
    `select _file_id from ${source}.session
     where _file_id not in (
       select lf.file_id from landfall.load l join landfall.load_file lf on lf.load_id = l.id where l.state = 'published'
     )
     union all
     select i._file_id from ${source}.item i
     where not exists (select from ${source}.session s where (s._file_id, s._line) = (i._file_id, i._line))
     union all
     select file_id from landfall.quarantine q join landfall.load l on l.id = q.load_id
     where l.delivery_id = $1 and l.state <> 'published'`,
    [delivery],
  );
  assert.deepEqual(strays.rows, [], 'no row is left behind');
}
