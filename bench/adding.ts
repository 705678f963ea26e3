/**
 * What a load costs where files come one by one: plan and publish beside what readers see already. The measurement of
 * docs/decisions/0009-monetate-days.md.
 *
 *   node --import tsx bench/adding.ts [--files 5000] [--sessions 1000000] [--days 60] [--runs 3]
 */

import { parseArgs } from 'node:util';

import pg from 'pg';

import { countUnseen } from '../warehouse/count-unseen.js';
import { openDelivery } from '../warehouse/ledger-delivery.js';
import { stagingNames } from '../warehouse/names.js';
import { planLoad } from '../warehouse/plan-load.js';
import type { PlannedFile } from '../warehouse/plan-request.js';
import { prepareSource } from '../warehouse/prepare-source.js';
import { publishLoad } from '../warehouse/publish-load.js';
import type { Target } from '../warehouse/target.js';
import { printSeconds } from './median.js';
import { timed, withWarehouse } from './warehouse.js';

const { values } = parseArgs({
  options: {
    files: { type: 'string', default: '5000' },
    sessions: { type: 'string', default: '1000000' },
    days: { type: 'string', default: '60' },
    runs: { type: 'string', default: '3' },
  },
});
const files = Number(values.files);
const perFile = Math.round(Number(values.sessions) / files);
const perLoad = Math.ceil(files / 96);
const source = 'visits';
const date = '2026-11-20';
const delivery = `${source}/${date}`;
/** Rows of a session in each of the other tables. */
const children = {
  ...{ session_offer: 3, session_page_event: 2, session_custom_target: 2, session_view_line: 3 },
  ...{ session_cart_line: 1, session_purchase: 0, session_purchase_item: 0 },
};
const names = ['session', ...Object.keys(children)];
const target: Target = {
  ...{ schema: source, date, how: 'merge', adds: true },
  tables: [
    { name: 'session', key: ['session_id'] },
    ...Object.keys(children).map((name) => ({ name, key: ['session_id', 'ordinal'] })),
  ],
};

const file = (number: number, version = 'v1'): PlannedFile => ({
  ...{ key: `2026/11/20/20261120T${String(number).padStart(8, '0')}.json.gz`, version },
  ...{ size: 100_000, modified: Date.parse('2026-11-20T12:00:00Z'), partitionValue: null },
});
const range = (from: number, to: number, version?: string): PlannedFile[] =>
  Array.from({ length: to - from }, (_, index) => file(from + index, version));

await withWarehouse(async (client) => {
  const pool = new pg.Pool({ connectionString: urlOf(client) });
  await prepareSource(
    pool,
    { name: source, vendor: 'monetate', schema: source },
    new URL('../vendors/monetate/sql/', import.meta.url),
  );
  await fillLedger(client);
  await openDelivery(pool, { id: delivery, source, type: 'sessions', date }, 0);
  const seconds = new Map<string, number[]>();
  const measure = async (what: string, work: () => Promise<unknown>): Promise<void> => {
    seconds.set(what, [...(seconds.get(what) ?? []), await timed(client, work)]);
  };
  let requests = 0;
  /** Sessions are numbered by their files, `shift` numbers later. */
  const load = async (
    what: string,
    listed: readonly PlannedFile[],
    force = false,
    shift = 0,
  ): Promise<void> => {
    let loadId = '';
    const plan = async (): Promise<void> => {
      ({ loadId } = await planLoad(pool, {
        ...{ deliveryId: delivery, source, target, request: `load-${++requests}`, force },
        ...{
          marker: () => undefined,
          files: inPages(listed),
          limits: { files: 250, bytes: 32 * 1024 * 1024 },
        },
      }));
    };
    await measure(`plan: ${what}`, plan);
    await stage(client, loadId, shift);
    await measure(`publish: ${what}`, () =>
      publishLoad(pool, {
        ...{ loadId, deliveryId: delivery, target, quarantineLimit: 0.01 },
        ...{ finality: 'provisional', reason: 'measured', onlyGrows: false },
      }),
    );
  };

  await load('all files at once', range(0, files - perLoad));
  const listed = range(0, files - perLoad);
  const more = (): number => listed.push(...range(listed.length, listed.length + perLoad));
  for (let run = 0; run < Number(values.runs); run += 1) {
    more();
    await load(`${perLoad} new files`, listed);
    await load('no new file, one that is gone', listed.slice(1));
    listed[10 + run] = file(10 + run, 'v2');
    await load('one file in another version', listed);
    await measure(`${files / 2} files of the next day, whether they are seen`, () =>
      countUnseen(pool, source, listed.slice(0, files / 2)),
    );
  }
  more();
  const shift = -perFile * Math.round(perLoad / 2);
  await load(`${perLoad} new files, half of their sessions there already`, listed, false, shift);
  await load('all files by force', listed, true);
  printSeconds(seconds);
  await pool.end();
});

async function* inPages(listed: readonly PlannedFile[]): AsyncGenerator<readonly PlannedFile[]> {
  for (let at = 0; at < listed.length; at += 1_000) yield await Promise.resolve(listed.slice(at, at + 1_000));
}

function urlOf({ host, port, user, password, database }: pg.Client): string {
  return `postgres://${user}:${encodeURIComponent(String(password))}@${host}:${port}/${database}`;
}

/** Published loads of earlier days. */
async function fillLedger(client: pg.Client): Promise<void> {
  await client.query(`
    insert into landfall.delivery (id, source, type, date, finality, since)
    select '${source}/before-' || day, '${source}', 'sessions', date '${date}' - day, 'final', now()
    from generate_series(1, ${values.days}) as day;
    insert into landfall.load (delivery_id, request, fingerprint, state, files)
    select id, 'before', 'before', 'published', ${files} from landfall.delivery;
    insert into landfall.file (source, key, version, size, modified_at)
    select '${source}', l.delivery_id || '/' || n, 'v1', 1, now() from landfall.load l, generate_series(1, ${files}) as n;
    insert into landfall.load_file
      (load_id, file_id, batch, staged_at, rows_parsed, rows_loaded, rows_quarantined, rows_duplicate)
    select l.id, f.id, 0, now(), 0, 0, 0, 0
    from landfall.load l cross join generate_series(1, ${files}) as n
    join landfall.file f on f.key = l.delivery_id || '/' || n;
    analyze landfall.file, landfall.load_file, landfall.load;`);
}

/** Rows as wide as the vendor's, for all files of a load. */
async function stage(client: pg.Client, loadId: string, shift: number): Promise<void> {
  const number = `substring(f.key from '(\\d+)\\.json')::bigint`;
  const id = `'1234:5.678901234.' || (${number} * ${perFile} + line + ${shift}) || '_0_1795132800000_1795136400000'`;
  const from = `
    from landfall.load_file lf join landfall.file f on f.id = lf.file_id, generate_series(1, ${perFile}) as line
    where lf.load_id = ${loadId} and lf.staged_at is null`;
  await client.query(`
    insert into ${stagingNames(loadId, 'session').table} (export_date, session_id, account_id, guid, start_time, end_time,
      browser, browser_version, os, device_type, country_code, region, city, page_views, session_value, offers,
      page_event_ids, custom_targets, view_lines, _file_id, _line)
    select '${date}', ${id}, 1234, '1234:5.678901234.' || line, now(), now(), 'Chrome', '145.0.0.0', 'Windows',
      'Desktop', 'US', 'MA', 'Boston', 7, 12.34, '{"1000001": 1795132800000, "1000002": 1795132800000}',
      '{"2001": 1795132800000}', '{"3001": "member", "3002": "gold"}',
      '[{"product_id": "p1", "sku": "s1", "time": 1795132800000, "unit_price": 12.34}]', f.id, line ${from}`);
  for (const [name, count] of Object.entries(children)) {
    await client.query(`
      insert into ${stagingNames(loadId, name).table} (session_id, ordinal, _file_id, _line)
      select s.id, ordinal, s.file_id, s.line
      from (select ${id} as id, f.id as file_id, line ${from}) s, generate_series(1, ${count}) as ordinal`);
  }
  const byTable = JSON.stringify(
    Object.fromEntries(names.map((name) => [name, perFile * (children[name as keyof typeof children] ?? 1)])),
  );
  await client.query(
    `update landfall.load_file
     set staged_at = now(), rows_parsed = $2, rows_loaded = $2, rows_quarantined = 0, rows_duplicate = 0,
         rows_by_table = $3
     where load_id = $1 and staged_at is null`,
    [loadId, perFile, byTable],
  );
}
