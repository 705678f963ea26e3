import type pg from 'pg';

/** Rows of a delivery that readers do not see, since another delivery has newer copies of them. */
export interface SupersededRows {
  readonly by: string;
  readonly rows: number;
}

/** Of what is published of a delivery; most rows first. */
export async function listSuperseded(pool: pg.Pool, delivery: string): Promise<SupersededRows[]> {
  const { rows } = await pool.query<{ readonly by: string; readonly rows: string }>(
    `select s.by_delivery_id as by, sum(s.rows) as rows
     from landfall.load l
     join landfall.load_file lf on lf.load_id = l.id
     join landfall.superseded s on s.file_id = lf.file_id
     where l.delivery_id = $1 and l.state = 'published'
     group by s.by_delivery_id
     order by sum(s.rows) desc, s.by_delivery_id`,
    [delivery],
  );
  return rows.map(({ by, rows: count }) => ({ by, rows: Number(count) }));
}
