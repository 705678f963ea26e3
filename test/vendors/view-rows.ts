import pg from 'pg';

/**
 * Rows of a view as arrays, ordered by its first columns, with the session's time zone set to another than usual where a
 * view might depend on it. A bigint comes as text, which is how the driver keeps it exact.
 */
export async function viewRows(
  pool: pg.Pool,
  schema: string,
  { view, columns, orderBy = 3, zone = 'UTC' }: ViewQuery,
): Promise<unknown[][]> {
  const order = Array.from({ length: orderBy }, (_, index) => index + 1).join(', ');
  const client = await pool.connect();
  try {
    await client.query(`set timezone = '${zone}'`);
    const { rows } = await client.query<unknown[]>({
      text: `select ${columns} from ${pg.escapeIdentifier(schema)}.${view} order by ${order}`,
      rowMode: 'array',
    });
    return rows;
  } finally {
    await client.query('reset timezone');
    client.release();
  }
}

interface ViewQuery {
  readonly view: string;
  readonly columns: string;
  /** How many of the columns. */
  readonly orderBy?: number;
  readonly zone?: string | undefined;
}
