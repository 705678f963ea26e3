import type pg from 'pg';

/** Which form of body it is: documents, or Elasticsearch's with action lines between them. */
export type BodyForm = 'documents' | 'bulk';

export interface InboxBody {
  readonly source: string;
  readonly form: BodyForm;
  /** The body as it was sent, compressed with gzip. */
  readonly gzip: Buffer;
  /** Of the body as it was sent, like the hash. */
  readonly bytes: number;
  readonly sha256: Buffer;
  readonly documents: number;
}

/** Puts a body into the inbox and gives its number there, once it is committed to disk. */
export async function insertBody(pool: pg.Pool, body: InboxBody): Promise<string> {
  const { rows } = await pool.query<{ readonly id: string }>(
    `insert into landfall.inbox (source, form, body, bytes, sha256, documents)
     values ($1, $2, $3, $4, $5, $6)
     returning id`,
    [body.source, body.form, body.gzip, body.bytes, body.sha256, body.documents],
  );
  const id = rows[0]?.id;
  if (id === undefined) throw new Error('Postgres inserted no row.');
  return id;
}
