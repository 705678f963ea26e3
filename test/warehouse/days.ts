import type pg from 'pg';

import type { DayOwner } from '../../warehouse/exchange-period.js';
import { discardDelivery } from '../../warehouse/discard-delivery.js';
import { openDelivery } from '../../warehouse/ledger-delivery.js';
import type { DayTable } from '../../warehouse/period-table.js';
import { stagingNames } from '../../warehouse/names.js';
import { planLoad } from '../../warehouse/plan-load.js';
import { prepareSource } from '../../warehouse/prepare-source.js';
import { publishLoad } from '../../warehouse/publish-load.js';
import type { PublishedLoad } from '../../warehouse/publish-request.js';
import type { Target } from '../../warehouse/target.js';
import { optimizely } from '../../vendors/optimizely/vendor.js';
import { file, inPages } from './planning.js';

/** A source whose days are partitions, with its steps called by hand: `load` publishes a day, `discard` takes it away. */
export const source = 'experiments';
export const table = `${source}.conversion`;
export const conversions: DayTable & DayOwner = {
  ...{ source, type: 'events', schema: source, table: 'conversion', key: ['uuid'] },
};

export function targetOf(date: string): Target {
  return { schema: source, date, ...optimizely.landing('events') };
}

export async function prepareDays(pool: pg.Pool): Promise<void> {
  await prepareSource(pool, { name: source, vendor: optimizely.name, schema: source }, optimizely.scripts);
}

export function idOf(date: string): string {
  return `${source}/events/${date}`;
}

let requests = 0;

/** Stages so many rows of a day; `version` is in their uuids. */
export async function stageDay(
  pool: pg.Pool,
  date: string,
  rows: number,
  version = `v${requests}`,
): Promise<string> {
  await openDelivery(pool, { id: idOf(date), source, type: 'events', date }, 0);
  const { loadId } = await planLoad(pool, {
    ...{ deliveryId: idOf(date), source, target: targetOf(date), request: `load-${++requests}`, force: true },
    ...{ marker: () => undefined, files: inPages([file(`${date}/${version}-${requests}`)]) },
    limits: { files: 1_000, bytes: 1e9 },
  });
  await pool.query(
    `insert into ${stagingNames(loadId, 'conversion').table} (uuid, export_date, _file_id, _line)
     select $1 || '-' || n, $2::date, (select file_id from landfall.load_file where load_id = $3), n
     from generate_series(1, $4::integer) as n`,
    [version, date, loadId, rows],
  );
  await pool.query(
    `update landfall.load_file
     set staged_at = now(), rows_parsed = $2, rows_loaded = $2, rows_quarantined = 0, rows_duplicate = 0,
         rows_by_table = jsonb_build_object('conversion', $2::bigint)
     where load_id = $1`,
    [loadId, rows],
  );
  return loadId;
}

export function publishDay(pool: pg.Pool, date: string, loadId: string): Promise<PublishedLoad> {
  return publishLoad(pool, {
    ...{ loadId, deliveryId: idOf(date), target: targetOf(date), quarantineLimit: 0.01 },
    ...{ finality: 'final', reason: 'by hand', onlyGrows: false },
  });
}

export async function loadDay(pool: pg.Pool, date: string, rows = 1, version?: string): Promise<void> {
  await publishDay(pool, date, await stageDay(pool, date, rows, version));
}

export function discardDay(pool: pg.Pool, date: string, request = `discard-${++requests}`): Promise<string> {
  return discardDelivery(pool, {
    ...{ deliveryId: idOf(date), target: targetOf(date), reason: 'by hand', request },
  });
}

/** A table whose days are made by `makeDays`, and what its deliveries are called. */
export interface MadeTable {
  readonly table: string;
  /** Of the primary key, beside the day: it is numbered. */
  readonly key: string;
  readonly source: string;
  readonly type: string;
}

/** Days that are final, each with a partition of its own as earlier versions made them, with some rows each. */
export async function makeDays(
  pool: pg.Pool,
  dates: readonly string[],
  rows = 2,
  of: Partial<MadeTable> = {},
): Promise<void> {
  const {
    table: name,
    key,
    source: owner,
    type,
  } = {
    ...{ table: 'conversion', key: 'uuid', source, type: 'events' },
    ...of,
  };
  const parent = `${source}.${name}`;
  await pool.query(
    `insert into landfall.delivery (id, source, type, date, finality, since)
     select $1 || day, $2, $3, day::date, 'final', now() from unnest($4::text[]) as day
     on conflict do nothing`,
    [`${owner}/${type}/`, owner, type, dates],
  );
  const columns = [...new Set([key, 'export_date', '_file_id', '_line'])];
  const values = columns.map(
    (column) => ({ export_date: 'day', _file_id: '1', _line: 'n' })[column] ?? `'old-' || n`,
  );
  for (let at = 0; at < dates.length; at += 100) {
    const statements = dates.slice(at, at + 100).map((date) => {
      const partition = `${parent}_${date.replaceAll('-', '_')}`;
      return `
        create table ${partition} (
          like ${parent} including defaults including comments including storage,
          constraint landfall_day check (export_date = '${date}'::date),
          primary key (export_date, ${key}));
        insert into ${partition} (${columns.join(', ')})
          select ${values.join(', ')} from generate_series(1, ${rows}) as n, (select date '${date}' as day) as of_day;
        alter table ${parent} attach partition ${partition} for values in ('${date}');`;
    });
    await pool.query(statements.join(''));
  }
}

/** `2026-03-01 × 2` … as readers see them. */
export async function visibleDays(db: pg.Pool | pg.ClientBase): Promise<Record<string, string>> {
  const { rows } = await db.query<{ day: string; what: string }>(
    `select to_char(export_date, 'YYYY-MM-DD') as day,
            count(*) || ' of ' || string_agg(distinct split_part(uuid, '-', 1), ',') as what
     from ${table} group by export_date order by export_date`,
  );
  return Object.fromEntries(rows.map(({ day, what }) => [day, what]));
}

/** Names of the partitions without the table's: `2026_03_01` for a day, `2026_03` for a month. */
export async function partitionNames(pool: pg.Pool): Promise<string[]> {
  const { rows } = await pool.query<{ name: string }>(
    `select substr(c.relname, length('conversion_') + 1) as name
     from pg_inherits join pg_class c on c.oid = inhrelid
     where inhparent = '${table}'::regclass order by c.relname`,
  );
  return rows.map(({ name }) => name);
}
