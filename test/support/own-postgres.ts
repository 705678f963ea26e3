import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import pg from 'pg';

import { startPostgres, type PostgresServer } from '../../sandbox/postgres.js';
import { deleteCluster } from '../../sandbox/postgres-place.js';
import { silently } from '../../sandbox/progress.js';
import { migrate } from '../../warehouse/migrate.js';
import { opener, sharing } from './opened.js';
import type { TestDatabase } from './postgres.js';

/** A database on a server of the test's own, which it may restart or crash; both go with `drop`. */
export interface OwnDatabase extends TestDatabase {
  readonly server: PostgresServer;
}

export async function ownDatabase(settings: Readonly<Record<string, string>> = {}): Promise<OwnDatabase> {
  const directory = await mkdtemp(join(tmpdir(), 'landfall-test-postgres-'));
  await chmod(directory, 0o755);
  const dataDir = join(directory, 'data');
  // A crash of the server is no crash of the machine: what it has written is there without fsync.
  const server = await startPostgres({
    dataDir,
    progress: silently,
    settings: { fsync: 'off', ...settings },
  });
  const pool = new pg.Pool({ connectionString: server.url, application_name: 'test' });
  pool.on('error', () => undefined);
  await migrate(pool);
  return {
    url: server.url,
    name: 'landfall',
    pool,
    server: keepingItsOwner(server),
    drop: async () => {
      await pool.end();
      await server.stop('immediate');
      await deleteCluster(dataDir);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** A server that tests share is theirs also after one of them has restarted it. */
function keepingItsOwner(server: PostgresServer): PostgresServer {
  if (opener() !== undefined) return server;
  const shared: PostgresServer = Object.create(server) as PostgresServer;
  return Object.assign(shared, {
    restart: (...mode: Parameters<PostgresServer['restart']>) => sharing(() => server.restart(...mode)),
  });
}
