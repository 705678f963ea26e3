/**
 * Rows of many sessions into a table whose key begins with the session: as they were staged, and in the order of their
 * keys. The first day into an empty table, then a second one beside it. A measurement of docs/decisions/0009-monetate-days.md.
 *
 *   node --import tsx bench/key-order.ts [--sessions 700000] [--runs 2]
 */

import { parseArgs } from 'node:util';

import { printSeconds } from './median.js';
import { processorSeconds } from './processes.js';
import { timed, withWarehouse } from './warehouse.js';

const { values } = parseArgs({
  options: { sessions: { type: 'string', default: '700000' }, runs: { type: 'string', default: '2' } },
});
/** Rows of a session. */
const offers = 4;
const columns = `
  session_id text not null, ordinal bigint not null, variant_id text, first_seen timestamptz, _file_id bigint not null,
  _line bigint not null, _extra jsonb`;

await withWarehouse(async (client) => {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  const pid = rows[0]?.pid ?? 0;
  const seconds = new Map<string, number[]>();
  const note = (what: string, value: number): unknown =>
    seconds.set(what, [...(seconds.get(what) ?? []), value]);
  for (const day of [1, 2]) {
    await client.query(`create unlogged table staged_${day} (${columns})`);
    // As the vendor's ids are, in no order.
    await client.query(`
      insert into staged_${day}
      select concat('1234:5.', hashint8(${day}e9::bigint + i)::bigint + 2147483648, '.1772323200000_0_1772323200000_17723', i), o,
        (1000000 + o)::text, now(), i / 500, i % 500
      from generate_series(1, ${values.sessions}) as i, generate_series(1, ${offers}) as o`);
  }
  for (let run = 0; run < Number(values.runs); run += 1) {
    for (const [how, order] of [
      ['as they were staged', ''],
      ['in the order of keys', 'order by session_id, ordinal'],
    ] as const) {
      await client.query(`create table offer (${columns}, primary key (session_id, ordinal))`);
      await client.query('create index on offer using brin (_file_id) with (autosummarize = on)');
      for (const day of [1, 2]) {
        const before = await processorSeconds(pid);
        const insert = `insert into offer select * from staged_${day} ${order}`;
        note(`day ${day}, ${how}`, await timed(client, () => client.query(insert)));
        note(`day ${day}, ${how}: processor`, (await processorSeconds(pid)) - before);
      }
      await client.query('drop table offer');
    }
  }
  printSeconds(seconds);
});
