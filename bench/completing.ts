/**
 * How long the rows of a CSV job take to be completed and merged, and another way to number them. The measurement of
 * docs/decisions/0008-rows-are-completed-when-published.md.
 *
 *   node --import tsx bench/completing.ts [--events 1000000] [--runs 3]
 */

import { parseArgs } from 'node:util';

import pg from 'pg';

import { leanplum } from '../vendors/leanplum/vendor.js';
import { completeRows } from '../warehouse/complete-rows.js';
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
  options: { events: { type: 'string', default: '1000000' }, runs: { type: 'string', default: '3' } },
});
const events = Number(values.events);
const target: Target = { schema: 'jobs', date: '2026-03-01', ...leanplum.landing('sessions') };
const shards = 20;
const kinds = ['sessions', 'states', 'events', 'eventparameters'];

await withWarehouse(async (client) => {
  const { host, port, user, password, database } = client;
  const pool = new pg.Pool({ host, port, user, password, database });
  await prepareSource(pool, { name: 'jobs', vendor: leanplum.name, schema: 'jobs' }, leanplum.scripts);
  const seconds = new Map<string, number[]>();
  const measure = async (what: string, work: () => Promise<unknown>): Promise<void> => {
    seconds.set(what, [...(seconds.get(what) ?? []), await timed(client, work)]);
  };
  for (let run = 0; run < Number(values.runs); run += 1) {
    const deliveryId = `jobs/${run}`;
    await openDelivery(pool, { id: deliveryId, source: 'jobs', type: 'sessions', date: target.date }, 0);
    const loadId = await stage(pool, deliveryId, run);
    await client.query('begin');
    await measure('number events: update staged rows', () => numberInPlace(client, loadId));
    await client.query('rollback');
    await client.query('begin');
    await measure('complete: write staged tables anew', () => completeRows(client, loadId, target));
    await client.query('rollback');
    await measure('publish', () =>
      publishLoad(pool, {
        ...{ loadId, deliveryId, target, quarantineLimit: 0.01 },
        ...{ finality: 'final', reason: 'measured', onlyGrows: false },
      }),
    );
  }
  await pool.end();
  printSeconds(seconds);
});

/** Plans a job and fills its staging tables: 8 events and 2 states a session, and a parameter an event. */
async function stage(pool: pg.Pool, deliveryId: string, run: number): Promise<string> {
  async function* files(): AsyncGenerator<readonly PlannedFile[]> {
    for (const kind of kinds) {
      yield await Promise.resolve(
        Array.from({ length: shards }, (_, shard) => ({
          ...{ key: `20260301/export-1-${run}-output${kind}-${shard}`, version: 'v', size: 1 },
          ...{ modified: 0, partitionValue: null },
        })),
      );
    }
  }
  const { loadId } = await planLoad(pool, {
    ...{ deliveryId, source: 'jobs', target, request: 'bench', force: true, marker: () => undefined },
    ...{ files: files(), limits: { files: 100, bytes: 1e9 } },
  });
  const table = (name: string): string => stagingNames(loadId, name).table;
  const file = (kind: string, n: string): string =>
    `(select array_agg(id order by id) from landfall.file where key like '%-${run}-output${kind}-%')[1 + ${n} % ${shards}]`;
  await pool.query(`
    insert into ${table('session')} (session_id, user_id, time, _file_id, _line)
    select n * 7919, 'user ' || n % 50000, now(), ${file('sessions', 'n')}, n from generate_series(1, ${events / 8}) n;
    insert into ${table('state')} (session_id, state_id, name, time, duration, _file_id, _line)
    select (1 + n / 2) * 7919, n % 2, 'state', now(), 1, ${file('states', 'n')}, n
    from generate_series(0, ${events / 4 - 1}) n;
    insert into ${table('event')} (session_id, state_id, event_id, name, time, value, _file_id, _line)
    select (1 + n / 8) * 7919, n % 3, n * 104729::bigint, 'event ' || n % 100, now(), 0, ${file('events', 'n')}, n
    from generate_series(0, ${events - 1}) n order by random();
    insert into ${table('event_parameter')} (event_id, name, value, _file_id, _line)
    select n * 104729::bigint, 'parameter', 'value ' || n, ${file('eventparameters', 'n')}, n
    from generate_series(0, ${events - 1}) n order by random()`);
  const rows = { sessions: events / 8, states: events / 4, events, eventparameters: events };
  const tables = ['session', 'state', 'event', 'event_parameter'];
  for (const [index, [kind, all]] of Object.entries(rows).entries()) {
    await pool.query(
      `update landfall.load_file lf
       set staged_at = now(), rows_parsed = $3, rows_loaded = $3, rows_quarantined = 0, rows_duplicate = 0,
           rows_by_table = jsonb_build_object($4::text, $3::bigint)
       from landfall.file f where f.id = lf.file_id and lf.load_id = $1 and f.key like $2`,
      [loadId, `%-output${kind}-%`, all / shards, tables[index]],
    );
  }
  return loadId;
}

/** The other way, for one of the four tables. */
async function numberInPlace(client: pg.Client, loadId: string): Promise<void> {
  const { table } = stagingNames(loadId, 'event');
  await client.query(`
    update ${table} s set ordinal = numbered.ordinal
    from (
      select e.ctid as row, row_number() over (
        partition by session_id order by length(f.key), f.key collate "C", _line
      ) as ordinal
      from ${table} e join landfall.file f on f.id = e._file_id
    ) numbered
    where s.ctid = numbered.row`);
}
