/** A Postgres of our own with the vendor's tables, for what is measured without S3 and Temporal. */

import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import pg from 'pg';

import { deleteCluster } from '../sandbox/postgres-place.js';
import { startPostgres } from '../sandbox/postgres.js';
import { optimizely } from '../vendors/optimizely/vendor.js';
import { migrate } from '../warehouse/migrate.js';
import { prepareSource } from '../warehouse/prepare-source.js';

export const schema = 'bench';

export async function withWarehouse(
  work: (client: pg.Client, folder: string) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'landfall-bench-'));
  await chmod(folder, 0o755);
  const dataDir = join(folder, 'postgres');
  const server = await startPostgres({ dataDir, progress: (line) => console.error(line) });
  try {
    const pool = new pg.Pool({ connectionString: server.url });
    await migrate(pool);
    await prepareSource(pool, { name: schema, vendor: optimizely.name, schema }, optimizely.scripts);
    await pool.end();
    const client = new pg.Client({ connectionString: server.url });
    await client.connect();
    await work(client, folder);
    await client.end();
  } finally {
    await server.stop();
    await deleteCluster(dataDir);
    await rm(folder, { recursive: true, force: true });
  }
}

/** Seconds that something takes, begun with nothing left to be written out. */
export async function timed(client: pg.Client, work: () => Promise<unknown>): Promise<number> {
  await client.query('checkpoint');
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1_000;
}
