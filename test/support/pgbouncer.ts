import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Context } from 'mocha';
import { pgbouncer, startPgbouncer, type Pgbouncer } from '../../sandbox/pgbouncer.js';
import { atTheEnd, beforeAllTests, progress, sharedByTheRun } from './shared.js';
import { skip } from './skip.js';
import { testDatabase, type TestDatabase } from './postgres.js';

/** Had before the first test: in CI it may have to be installed. */
const program = sharedByTheRun(() => pgbouncer(progress));
beforeAllTests(program);

/** Ends a test where there is no pgbouncer: in CI as a failure, elsewhere as skipped. */
export async function needsPgbouncer(test: Context): Promise<void> {
  if ((await program()) !== undefined) return;
  const reason = 'there is no pgbouncer: install it, or set PGBOUNCER_PATH.';
  if (process.env['CI']) throw new Error(`A pooler cannot be tested, ${reason}`);
  skip(test, reason);
}

/** A database behind a pgbouncer in transaction mode, which ends before it is dropped. */
export async function pooled(database: TestDatabase, poolSize?: number): Promise<TestDatabase> {
  const pgbouncer = await newPgbouncer(database.url, poolSize);
  return {
    ...database,
    url: pgbouncer.through(database.url),
    drop: async () => {
      await pgbouncer.stop();
      await database.drop();
    },
  };
}

/** The same, with all migrations. */
export async function pooledDatabase(poolSize?: number): Promise<TestDatabase> {
  return pooled(await testDatabase(), poolSize);
}

/** It ends with the run at the latest. */
async function newPgbouncer(url: string, poolSize?: number): Promise<Pgbouncer> {
  const binary = await program();
  if (binary === undefined) throw new Error('There is no pgbouncer.');
  const directory = await mkdtemp(join(tmpdir(), 'landfall-test-pgbouncer-'));
  await chmod(directory, 0o755);
  const server = await startPgbouncer({
    ...{ binary, directory, url },
    ...(poolSize === undefined ? {} : { poolSize }),
  });
  atTheEnd(async () => {
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  });
  return server;
}
