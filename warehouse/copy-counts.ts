/** What the ledger counts of copies whose place has changed, in this delivery and in others. */

import type pg from 'pg';

import type { Settling } from './newest-copies.js';

/**
 * Adds to each file what its copies are from now on (temporary table ranked) and takes off what they were. Staged rows were
 * counted as loaded. The totals of other deliveries' loads change with their files; this one's are written when it is published.
 */
export async function countCopies(client: pg.ClientBase, { deliveryId }: Settling): Promise<void> {
  const is = (status: string, column: string): string =>
    `coalesce(sum(_lines) filter (where ${column} = '${status}'), 0)`;
  const change = (status: string): string => `${is(status, 'now')} - ${is(status, 'before')}`;
  await client.query(
    `create temporary table recount on commit drop as
     select _load_id, _file_id, _delivery, ${change('loaded')} as loaded, ${change('superseded')} as superseded,
            ${change('duplicate')} as duplicate, ${change('conflicting')} as conflicting
     from (
       select r.*, case when _wins then 'loaded' else _becomes end as now,
              case when _place = 'superseded' then _status else 'loaded' end as before
       from ranked r where _load_id is not null
     ) counted
     group by _load_id, _file_id, _delivery`,
  );
  await client.query(
    `update landfall.load_file lf
     set rows_loaded = lf.rows_loaded + r.loaded, rows_superseded = lf.rows_superseded + r.superseded,
         rows_duplicate = lf.rows_duplicate + r.duplicate, rows_conflicting = lf.rows_conflicting + r.conflicting
     from recount r
     where lf.load_id = r._load_id and lf.file_id = r._file_id`,
  );
  await client.query(
    `update landfall.load l
     set rows_loaded = l.rows_loaded + r.loaded, rows_superseded = l.rows_superseded + r.superseded,
         rows_duplicate = l.rows_duplicate + r.duplicate, rows_conflicting = l.rows_conflicting + r.conflicting
     from (
       select _load_id, sum(loaded) as loaded, sum(superseded) as superseded, sum(duplicate) as duplicate,
              sum(conflicting) as conflicting
       from recount where _delivery <> $1 group by _load_id
     ) r
     where l.id = r._load_id`,
    [deliveryId],
  );
  await client.query(
    `insert into landfall.superseded as known (file_id, by_delivery_id, rows)
     select _file_id, by, sum(rows)
     from (
       select _file_id, _winner as by, _lines as rows from ranked where _becomes = 'superseded'
       union all
       select _file_id, _by, -_lines from ranked where _place = 'superseded' and _status = 'superseded'
     ) changed
     where by is not null
     group by _file_id, by having sum(rows) <> 0
     on conflict (file_id, by_delivery_id) do update set rows = known.rows + excluded.rows`,
  );
  await client.query(
    'delete from landfall.superseded where rows = 0 and file_id in (select _file_id from ranked)',
  );
}
