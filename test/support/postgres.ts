import { existsSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { startPostgres, type PostgresServer } from '../../sandbox/postgres.js';
import { deleteCluster } from '../../sandbox/postgres-place.js';
import { eventually } from './eventually.js';
import { atTheEnd, progress, sharedByTheRun } from './shared.js';

export interface TestDatabase {
  readonly url: string;
  readonly name: string;
  /** Closed by `drop`. */
  readonly pool: pg.Pool;
  /** Fails when a connection was left open: some code under test forgot to release it. */
  readonly drop: () => Promise<void>;
}

const TEMPLATE = 'landfall_template';
let databases = 0;

/** The one Postgres server of a run. Tests that stop or crash a server start their own. */
export const testServer: () => Promise<PostgresServer> = sharedByTheRun(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'landfall-test-postgres-'));
  // The account that runs Postgres for root must get in; the data directory itself is closed to others.
  await chmod(directory, 0o755);
  const dataDir = join(directory, 'data');
  const server = await startPostgres({
    dataDir,
    progress,
    settings: { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off', max_connections: '200' },
  });
  atTheEnd(async () => {
    await server.stop('immediate');
    await deleteCluster(dataDir);
    await rm(directory, { recursive: true, force: true });
  });
  return server;
});

/** An empty database with all migrations, for one test. */
export async function testDatabase(): Promise<TestDatabase> {
  const server = await migratedServer();
  const name = `test_${process.pid}_${++databases}`;
  // Cloning files is quick with fsync off, and needs no WAL.
  await asAdmin(server, `CREATE DATABASE ${name} TEMPLATE ${TEMPLATE} STRATEGY file_copy`);
  const url = urlOf(server, name);
  const pool = new pg.Pool({ connectionString: url, application_name: 'test' });
  // Dropping a database ends idle connections, which a pool reports as errors.
  pool.on('error', () => undefined);
  return {
    url,
    name,
    pool,
    drop: async () => {
      await pool.end();
      const left = await connectionsLeft(server, name);
      await asAdmin(server, `DROP DATABASE ${name} WITH (FORCE)`);
      if (left !== '') throw new Error(`Connections to ${name} were left open:\n${left}`);
    },
  };
}

const migratedServer = sharedByTheRun(async () => {
  const server = await testServer();
  await asAdmin(server, `CREATE DATABASE ${TEMPLATE}`);
  const pool = new pg.Pool({ connectionString: urlOf(server, TEMPLATE) });
  try {
    await migrations(pool);
  } finally {
    await pool.end();
  }
  return server;
});

async function migrations(pool: pg.Pool): Promise<void> {
  const file = new URL('../../warehouse/migrate.ts', import.meta.url);
  if (!existsSync(fileURLToPath(file))) return;
  const { migrate } = (await import(file.href)) as { migrate: (pool: pg.Pool) => Promise<unknown> };
  await migrate(pool);
}

function urlOf(server: PostgresServer, database: string): string {
  const url = new URL(server.url);
  url.pathname = `/${database}`;
  return url.href;
}

async function asAdmin(server: PostgresServer, sql: string): Promise<readonly Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: urlOf(server, 'postgres') });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

/** Sessions end a moment after their client has gone, so they get that moment. */
async function connectionsLeft(server: PostgresServer, name: string): Promise<string> {
  let left: readonly Record<string, unknown>[] = [];
  const sql =
    `SELECT application_name, state, left(query, 100) AS query FROM pg_stat_activity ` +
    `WHERE datname = '${name}' AND backend_type = 'client backend'`;
  await eventually(
    async () => {
      left = await asAdmin(server, sql);
      return left.length === 0;
    },
    { timeoutMs: 1000 },
  ).catch(() => undefined);
  return left.map((row) => JSON.stringify(row)).join('\n');
}
