/** Several files of one delivery hold a copy of the same row. Only where files come one by one. */

import pg from 'pg';

import { visible } from './contested-keys.js';
import { columnsOf, sameKey, stagingNames, supersededTable } from './names.js';
import type { Settling } from './newest-copies.js';
import { conflictReason } from './repeated-rows.js';
import { contentOf } from './row-content.js';

/**
 * Tells of the delivery's older copies, in temporary table ranked, whether they say the same as its newest one or something
 * else, and keeps the quarantine to that.
 */
export async function judgeOwn(
  client: pg.ClientBase,
  { deliveryId, loadId, target }: Settling,
): Promise<void> {
  if (target.adds !== true) return;
  const { key } = target.tables[0];
  // Entered anew below, perhaps with another winner.
  await client.query(
    `delete from landfall.quarantine q using ranked r
     where r._delivery = $1 and r._status = 'conflicting'
       and (q.load_id, q.file_id, q.line) = (r._load_id, r._file_id, r._line)`,
    [deliveryId],
  );
  const { rowCount } = await client.query(
    `create temporary table own on commit drop as
     select r._place, ${columnsOf('r', [...key, '_file_id', '_line'])} from ranked r
     join (
       select distinct ${columnsOf('r', key)} from ranked r
       where r._delivery = ${pg.escapeLiteral(deliveryId)} and r._rank_of_own > 1
     ) several on ${sameKey('several', 'r', key)}
     where r._delivery = ${pg.escapeLiteral(deliveryId)}`,
  );
  if (rowCount === 0) return;
  await client.query('analyze own');
  const places: readonly (readonly [string, (table: string) => string])[] = [
    ['visible', (table) => visible(target, table)],
    ['superseded', (table) => supersededTable(target.schema, table)],
    ...(loadId === undefined
      ? []
      : [['staged', (table: string) => stagingNames(loadId, table).table] as const]),
  ];
  const said = places.map(([place, from]) =>
    contentOf({ wanted: `(select * from own where _place = '${place}')`, tables: target.tables, from }),
  );
  await client.query(
    `create temporary table own_content on commit drop as ${said.map((query) => `(${query})`).join(' union all ')}`,
  );
  await client.query('analyze own_content');
  const content = (name: string, file: string): string =>
    `own_content ${name} on ${sameKey(name, 'r', key)} and ${name}._file_id = r.${file}`;
  await client.query(
    `update ranked set _becomes = judged.becomes
     from (
       select ${columnsOf('r', [...key, '_file_id'])},
              case when mine.content = best.content then 'duplicate' else 'conflicting' end as becomes
       from ranked r join ${content('mine', '_file_id')} join ${content('best', '_best')}
       where r._delivery = $1 and r._rank_of_own > 1
     ) judged
     where ${sameKey('judged', 'ranked', [...key, '_file_id'])}`,
    [deliveryId],
  );
  await client.query(
    `insert into landfall.quarantine (load_id, file_id, line, reason, raw)
     select r._load_id, r._file_id, r._line, ${conflictReason(key, 'f.key', 'best._line')},
            jsonb_strip_nulls(mine.content)::text
     from ranked r join ${content('mine', '_file_id')} join ${content('best', '_best')}
     join landfall.file f on f.id = r._best
     where r._delivery = $1 and r._becomes = 'conflicting'`,
    [deliveryId],
  );
}
