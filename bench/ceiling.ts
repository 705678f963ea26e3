import { createWriteStream } from 'node:fs';
import { chmod, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';

import pg from 'pg';
import copyStreams from 'pg-copy-streams';

export interface Ceiling {
  /** Bytes of the text file. */
  readonly bytes: number;
  /** Seconds of one run: COPY of the file into a fresh table, then its primary key. */
  readonly run: () => Promise<number>;
}

/**
 * The least that Postgres needs for these rows: `COPY` from a text file that lies ready on its own disk, in one session,
 * then the primary key. The file is made from the rows that we loaded, so both bring in the same.
 */
export async function prepareCeiling(
  pool: pg.Pool,
  partition: string,
  key: string,
  file: string,
): Promise<Ceiling> {
  const client = await pool.connect();
  try {
    await pipeline(client.query(copyStreams.to(`copy ${partition} to stdout`)), createWriteStream(file));
  } finally {
    client.release();
  }
  await chmod(file, 0o644);
  const { size } = await stat(file);
  return {
    bytes: size,
    run: async () => {
      await pool.query('drop table if exists bench_ceiling');
      await pool.query('checkpoint');
      const start = performance.now();
      await pool.query(`create table bench_ceiling (like ${partition} including defaults including storage)`);
      await pool.query(`copy bench_ceiling from ${pg.escapeLiteral(file)}`);
      await pool.query(`alter table bench_ceiling add primary key (${key})`);
      const seconds = (performance.now() - start) / 1_000;
      await pool.query('drop table bench_ceiling');
      return seconds;
    },
  };
}
