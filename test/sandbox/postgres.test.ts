import assert from 'node:assert/strict';
import { chmod, mkdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startPostgres, type PostgresServer } from '../../sandbox/postgres.js';
import { mendPackage } from '../../sandbox/postgres-binaries.js';
import { deleteCluster } from '../../sandbox/postgres-place.js';
import { processName } from '../../sandbox/processes.js';
import { silently } from '../../sandbox/progress.js';
import { inTemporaryDirectory, withDataDirectory } from '../support/isolated.js';
import { skip } from '../support/skip.js';

const start = (dataDir: string): Promise<PostgresServer> =>
  startPostgres({ dataDir, progress: silently, settings: { fsync: 'off' } });

async function query<Row extends pg.QueryResultRow>(url: string, sql: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}

describe('the Postgres of the sandbox', () => {
  it('is PostgreSQL 18, in UTF-8 and UTC, on 127.0.0.1 and behind a password', () =>
    withDataDirectory(async (dataDir) => {
      const server = await start(dataDir);
      try {
        const [row] = await query<Record<string, string>>(
          server.url,
          `SELECT current_database() AS database,
                  current_setting('server_version_num')::int / 10000 AS version,
                  current_setting('server_encoding') AS encoding,
                  current_setting('timezone') AS timezone,
                  current_setting('listen_addresses') AS listens,
                  upper('é') AS "upper"`,
        );
        assert.deepEqual(row, {
          database: 'landfall',
          version: 18,
          encoding: 'UTF8',
          timezone: 'UTC',
          listens: '127.0.0.1',
          upper: 'É',
        });
        const wrong = new URL(server.url);
        wrong.password = 'wrong';
        await assert.rejects(query(wrong.href, 'SELECT'), /password authentication failed/);
        assert.equal((await stat(`${dataDir}.password`)).mode & 0o777, 0o600);
      } finally {
        await server.stop();
      }
    }));

  it('keeps its data across a restart, a crash and a new start', () =>
    withDataDirectory(async (dataDir) => {
      let server = await start(dataDir);
      try {
        await query(server.url, 'CREATE TABLE kept AS SELECT 1 AS n');
        await query(server.url, 'CREATE UNLOGGED TABLE staged AS SELECT 1 AS n');
        const { pid } = server;
        await server.restart();
        assert.notEqual(server.pid, pid);
        assert.deepEqual(await query(server.url, 'SELECT n FROM kept NATURAL JOIN staged'), [{ n: 1 }]);

        await server.restart('immediate');
        assert.deepEqual(await query(server.url, 'SELECT n FROM kept'), [{ n: 1 }]);
        assert.deepEqual(await query(server.url, 'SELECT n FROM staged'), [], 'a crash empties these');

        await server.stop();
        assert.equal(await processName(server.pid), undefined);
        server = await start(dataDir);
        assert.deepEqual(await query(server.url, 'SELECT n FROM kept'), [{ n: 1 }]);
      } finally {
        await server.stop();
      }
    }));

  it('refuses data that another server uses, and names that server', () =>
    withDataDirectory(async (dataDir) => {
      const server = await start(dataDir);
      try {
        await assert.rejects(start(dataDir), (error: Error) => {
          assert.match(error.message, new RegExp(`A Postgres server \\(process ${server.pid}\\)`));
          assert.match(error.message, /Stop the program that started it/);
          return true;
        });
      } finally {
        await server.stop();
      }
    }));

  it('starts over the lock file of a dead server, even when its process id belongs to another program', () =>
    withDataDirectory(async (dataDir) => {
      const dead = await start(dataDir);
      await dead.stop();
      await writeFile(join(dead.dataDir, 'postmaster.pid'), `${process.pid}\n${dead.dataDir}\n`);
      const server = await start(dataDir);
      await server.stop();
    }));

  it('refuses data whose password is lost, instead of locking everyone out', () =>
    withDataDirectory(async (dataDir) => {
      await (await start(dataDir)).stop();
      await rm(`${dataDir}.password`);
      await assert.rejects(
        start(dataDir),
        /password file .*data\.password is not\. Put the file back, or delete/,
      );
    }));

  it('says what the log said when it does not start', () =>
    withDataDirectory(async (dataDir) => {
      const starting = startPostgres({
        dataDir,
        progress: silently,
        settings: { shared_buffers: 'plenty' },
      });
      await assert.rejects(
        starting,
        /Postgres ended while starting .*invalid value for parameter "shared_buffers"/s,
      );
    }));

  it('mends a package whose install script npm did not run', () =>
    inTemporaryDirectory(async (native) => {
      await mkdir(join(native, 'lib'));
      await mkdir(join(native, 'bin'));
      await writeFile(join(native, 'lib', 'libpq.so.5.18'), '');
      for (const name of ['initdb', 'postgres'])
        await writeFile(join(native, 'bin', name), '', { mode: 0o600 });
      const link = { source: 'native/lib/libpq.so.5.18', target: 'native/lib/libpq.so.5' };
      await writeFile(join(native, 'pg-symlinks.json'), JSON.stringify([link]));
      await mendPackage(native);
      await mendPackage(native);
      assert.equal(await readlink(join(native, 'lib', 'libpq.so.5')), 'libpq.so.5.18');
      assert.equal((await stat(join(native, 'bin', 'postgres'))).mode & 0o555, 0o555);
    }));
});

describe('the Postgres of the sandbox, started by root', () => {
  before(function () {
    if (userInfo().uid !== 0) skip(this, 'this is not run as root.');
  });

  it('runs as another account, and keeps its data elsewhere where that account cannot reach them', () =>
    inTemporaryDirectory(async (directory) => {
      await chmod(directory, 0o700);
      const wanted = join(directory, 'clone', 'data');
      const lines: string[] = [];
      let server = await startPostgres({ dataDir: wanted, progress: (line) => lines.push(line) });
      try {
        assert.notEqual((await stat(server.dataDir)).uid, 0);
        assert.match(lines[0] ?? '', /^Keeping the Postgres data in .*: no account but root can reach/);
        assert.match(
          await readFile(join(wanted, 'WHERE-THE-DATA-LIES.txt'), 'utf8'),
          new RegExp(server.dataDir),
        );
        await query(server.url, 'CREATE TABLE kept ()');
        await server.stop();

        server = await start(wanted);
        await query(server.url, 'SELECT FROM kept');
        await server.stop();

        await rm(join(directory, 'clone'), { recursive: true });
        server = await start(wanted);
        await assert.rejects(
          query(server.url, 'SELECT FROM kept'),
          /does not exist/,
          'deleting begins afresh',
        );
      } finally {
        await server.stop();
        await deleteCluster(wanted);
        await assert.rejects(stat(server.dataDir), /ENOENT/);
      }
    }));
});
