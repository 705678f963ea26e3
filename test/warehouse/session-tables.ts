import type pg from 'pg';

import { prepareSuperseded } from '../../warehouse/superseded-tables.js';
import type { Target } from '../../warehouse/target.js';

/**
 * Makes a source whose tables have their keys and a text, `says`: of texts, but for `ordinal`, which numbers the rows of
 * what lies within others.
 */
export async function createSessionTables(
  pool: pg.Pool,
  source: string,
  vendor: string,
  target: Target,
): Promise<void> {
  const tables = target.tables.map(({ name, key }) => {
    const columns = key.map((column) => `${column} ${column === 'ordinal' ? 'bigint' : 'text'}`);
    return `create table ${source}.${name} (
      ${columns.join(', ')}, says text, _file_id bigint, _line bigint, primary key (${key.join(', ')})
    );`;
  });
  await pool.query(`
    insert into landfall.source (name, vendor, schema_name) values ('${source}', '${vendor}', '${source}');
    create schema ${source};
    ${tables.join('\n')}`);
  const client = await pool.connect();
  await prepareSuperseded(client, source, target);
  client.release();
}
