/** A database whose owner's settings are what no program expects. */

import { randomBytes } from 'node:crypto';

import pg from 'pg';

import { migrate } from '../../warehouse/migrate.js';
import { openPool } from '../../warehouse/pool.js';
import { testServer, type TestDatabase } from './postgres.js';

const settings: Readonly<Record<string, string>> = {
  DateStyle: `'SQL, DMY'`,
  IntervalStyle: `'sql_standard'`,
  TimeZone: `'Pacific/Kiritimati'`,
  bytea_output: `'escape'`,
  client_encoding: `'LATIN1'`,
  extra_float_digits: '-15',
  standard_conforming_strings: 'off',
  array_nulls: 'off',
  transform_null_equals: 'on',
  exit_on_error: 'on',
  search_path: 'odd, pg_catalog, public',
  default_transaction_isolation: `'serializable'`,
  default_transaction_deferrable: 'on',
  synchronous_commit: 'off',
  statement_timeout: `'100ms'`,
  lock_timeout: `'5ms'`,
  transaction_timeout: `'300ms'`,
  idle_in_transaction_session_timeout: `'50ms'`,
  idle_session_timeout: `'500ms'`,
};

let databases = 0;

/** An empty database, of which its role knows nothing yet. Its address is the role's; `pool` is the administrator's. */
export async function hostileDatabase(): Promise<TestDatabase> {
  const { url: admin } = await testServer();
  const name = `hostile_${process.pid}_${++databases}`;
  const password = randomBytes(12).toString('hex');
  await asAdmin(admin, [
    `create role ${name} login password '${password}'`,
    `create database ${name} owner ${name} template template0 encoding 'UTF8'`,
    ...Object.entries(settings).map(([setting, value]) => `alter role ${name} set ${setting} = ${value}`),
    // Of the database as a whole, too: which of the two counts differs by setting.
    `alter database ${name} set DateStyle = 'German'`,
    `alter database ${name} set default_transaction_isolation = 'repeatable read'`,
  ]);
  const own = new URL(admin);
  own.pathname = `/${name}`;
  const pool = new pg.Pool({ connectionString: own.href, application_name: 'test' });
  pool.on('error', () => undefined);
  // What stands in the search path before Postgres' own.
  await pool.query(`
    create schema odd;
    grant all on schema odd to ${name};
    create function odd.now() returns timestamptz language sql as $$ select timestamptz 'epoch' $$;
    create function odd.starts_with(text, text) returns boolean language sql as $$ select false $$;
    create function odd.to_char(timestamp, text) returns text language sql as $$ select 'odd' $$;`);
  [own.username, own.password] = [name, password];
  return {
    url: own.href,
    name,
    pool,
    drop: async () => {
      await pool.end();
      await asAdmin(admin, [`drop database ${name} with (force)`, `drop role ${name}`]);
    },
  };
}

/** The same with all migrations, which the role has made; `pool` is one of ours. */
export async function preparedHostileDatabase(): Promise<TestDatabase> {
  const database = await hostileDatabase();
  const pool = openPool(database.url);
  await migrate(pool);
  return {
    ...database,
    pool,
    drop: async () => {
      await pool.end();
      await database.drop();
    },
  };
}

async function asAdmin(url: string, statements: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}
