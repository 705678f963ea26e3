import pg from 'pg';

/** Puts rows into a table by the plainest way there is. They get a place, line 1, 2 … of one file, where they have none. */
export async function putRows(
  pool: pg.Pool,
  schema: string,
  table: string,
  rows: readonly Readonly<Record<string, unknown>>[],
): Promise<void> {
  const name = `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(table)}`;
  const whole = rows.map((row, index) => ({ _file_id: 1, _line: index + 1, ...row }));
  await pool.query(`insert into ${name} select * from jsonb_populate_recordset(null::${name}, $1)`, [
    JSON.stringify(whole),
  ]);
}
