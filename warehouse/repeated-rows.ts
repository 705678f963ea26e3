/** Staged rows with one key: one stays, and what becomes of the others is counted. */

import type pg from 'pg';

import type { KeyedTable } from '../vendors/table.js';
import { columnsOf, sameKey, stagingNames } from './names.js';
import { contentOf } from './row-content.js';

/** Order of copies of a row, the newest first, by columns for their file's newness and key; the line decides after that. */
export function newestFirst(newness: string, file: string): string {
  return `${newness} collate "C" desc nulls last, length(${file}) desc, ${file} collate "C" desc`;
}

export interface Repeated {
  readonly loadId: string;
  /** Of each line: the first table's row, and those that lie within it. */
  readonly tables: readonly [KeyedTable, ...KeyedTable[]];
  /** Columns of the first table of which rows have no two that are the same. */
  readonly key: readonly string[];
  /** Rows of several files are told apart when all that readers see of them is known. */
  readonly within: 'load' | 'file';
}

/**
 * Of several staged rows with one key what the newest says counts. Those that say something else go into the quarantine,
 * which names the newest, and count as conflicting. Of those that say the same the first by file, then line, stays, so that
 * it does not matter when equal files were written; the others count as duplicates. Costs one pass where no key is there
 * twice.
 *
 * Leaves the keys that are there twice, perhaps in several files, in temporary table repeated_key.
 */
export async function removeRepeated(client: pg.ClientBase, repeated: Repeated): Promise<void> {
  const { loadId, tables, key } = repeated;
  const staging = stagingNames(loadId, tables[0].name).table;
  const { rowCount } = await client.query(
    `create temporary table repeated_key on commit drop as
     select ${columnsOf('s', key)} from ${staging} s group by ${columnsOf('s', key)} having count(*) > 1`,
  );
  if (rowCount === 0) return;
  await client.query('analyze repeated_key');
  await client.query(
    `create temporary table source_file on commit drop as
     select f.id, f.key, lf.newness from landfall.load_file lf join landfall.file f on f.id = lf.file_id
     where lf.load_id = ${BigInt(loadId)}`,
  );
  // No table here has an index: a nested loop, which Postgres chooses where it expects few rows, would read one of them
  // from end to end for each row of the other.
  await client.query('set local enable_nestloop = off');
  await separateRepeated(client, repeated);
  await client.query('reset enable_nestloop');
}

async function separateRepeated(
  client: pg.ClientBase,
  { loadId, tables, key, within }: Repeated,
): Promise<void> {
  const [first, ...others] = tables;
  const from = (table: string): string => stagingNames(loadId, table).table;
  const staging = from(first.name);
  const group = columnsOf('s', within === 'file' ? [...key, '_file_id'] : key);
  await client.query(
    `create temporary table repeated on commit drop as
     select s.ctid as _row, ${columnsOf('s', [...key, '_file_id', '_line'])},
            f.key as _file, count(*) over (partition by ${group}) as _times,
            first_value(s._file_id) over newest as _winner_file_id, first_value(s._line) over newest as _winner_line,
            first_value(f.key) over newest as _winner
     from ${staging} s
     join repeated_key k on ${sameKey('k', 's', key)}
     join source_file f on f.id = s._file_id
     window newest as (partition by ${group} order by ${newestFirst('f.newness', 'f.key')}, s._line desc)`,
  );
  const wanted = '(select * from repeated where _times > 1)';
  const content = contentOf({ wanted, tables: [{ ...first, key }, ...others], from });
  await client.query(`create temporary table said on commit drop as ${content}`);
  await client.query(
    `create temporary table lost on commit drop as
     select * from (
       select r._row, r._file_id, r._line, r._winner, r._winner_file_id, r._winner_line, mine.content,
              mine.content <> winner.content as conflicts,
              row_number() over (
                partition by r._winner_file_id, r._winner_line, mine.content = winner.content
                order by r._file collate "C", r._line
              ) as place
       from repeated r
       join said mine on (mine._file_id, mine._line) = (r._file_id, r._line)
       join said winner on (winner._file_id, winner._line) = (r._winner_file_id, r._winner_line)
     ) judged
     where conflicts or place > 1`,
  );
  await client.query(
    `insert into landfall.quarantine (load_id, file_id, line, reason, raw)
     select $1, _file_id, _line,
            ${conflictReason(key, `case when _file_id = _winner_file_id then null else _winner end`, '_winner_line')},
            jsonb_strip_nulls(content)::text
     from lost where conflicts`,
    [loadId],
  );
  await client.query(`delete from ${staging} s using lost where s.ctid = lost._row`);
  for (const { name } of others) {
    await client.query(
      `delete from ${from(name)} s using lost where s._file_id = lost._file_id and s._line = lost._line`,
    );
  }
  await client.query(
    `update landfall.load_file lf
     set rows_loaded = lf.rows_loaded - counted.rows,
         rows_conflicting = lf.rows_conflicting + counted.conflicting,
         rows_duplicate = lf.rows_duplicate + counted.rows - counted.conflicting
     from (
       select _file_id, count(*) as rows, count(*) filter (where conflicts) as conflicting from lost group by _file_id
     ) counted
     where lf.load_id = $1 and lf.file_id = counted._file_id`,
    [loadId],
  );
}

/** Why a row is in the quarantine that lost, as an expression. `file` is null where the winner stands in the same file. */
export function conflictReason(key: readonly string[], file: string, line: string): string {
  const names = key.filter((name) => name !== 'export_date').join(', ');
  const what = `another row has the same ${names} and says something else; line `;
  return `'${what.replaceAll("'", "''")}' || ${line} || coalesce(' of ' || ${file}, '') || ' is the newest and counts'`;
}
