import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import pg from 'pg';

import type { Finding } from '../../client/checks/finding.js';
import { ownDatabase } from '../support/own-postgres.js';
import { testServer } from '../support/postgres.js';
import { openDesk, yamlOf, type Desk } from './landfall-command.js';

const role = `unfit_${process.pid}`;
const utf8 = `encoding 'UTF8' template template0`;
const libc = `template template0 locale_provider libc locale 'C'`;

interface Unfit {
  readonly title: string;
  readonly what: string;
  readonly database?: string;
  /** By the administrator in the database; `$db` stands for its name. */
  readonly sql?: string;
  readonly says: RegExp;
}

const cases: readonly Unfit[] = [
  {
    title: 'whose encoding is SQL_ASCII',
    what: 'encoding',
    database: `encoding 'SQL_ASCII' ${libc}`,
    says: /encoding: the database's encoding is SQL_ASCII\. Exports are UTF-8: create database/,
  },
  {
    title: 'whose encoding is LATIN1',
    what: 'encoding',
    database: `encoding 'LATIN1' ${libc}`,
    says: /encoding is LATIN1/,
  },
  {
    title: 'that is read-only for its role',
    what: 'writing',
    sql: `alter role ${role} in database $db set default_transaction_read_only = on`,
    says: /writing: database \S+ is read-only for \S+ \(default_transaction_read_only is on\).*alter role/,
  },
  {
    title: 'that is read-only for all',
    what: 'writing',
    sql: `alter database $db set default_transaction_read_only = on`,
    says: /read-only for .*alter database "\S+" reset default_transaction_read_only/,
  },
  {
    title: 'where its role may not create schemas',
    what: 'rights',
    sql: `alter database $db owner to landfall`,
    says: /rights: \S+ may not create schemas\. As the owner of the database: grant create on database "\S+" to "\S+"/,
  },
  {
    title: 'where its role may not make temporary tables',
    what: 'rights',
    sql: `alter database $db owner to landfall; grant create on database $db to ${role};
          revoke temporary on database $db from public`,
    says: /may not make temporary tables\. .*grant temporary on database/,
  },
  {
    title: 'whose schema belongs to another role',
    what: 'rights',
    sql: `create schema experiments authorization landfall`,
    says: /rights: \S+ does not own experiments \(of landfall\)\. Use the role in postgres\.url that owns them/,
  },
];

describe('a Postgres that setup refuses, with nothing made there, and check too,', function () {
  this.timeout(60_000);
  let admin: string;
  before(async () => {
    admin = (await testServer()).url;
    await run(admin, `create role ${role} login password 'secret'`);
  });
  after(() => run(admin, `drop role ${role}`));

  for (const [index, { title, what, database = utf8, sql, says }] of cases.entries()) {
    it(`is one ${title}`, async () => {
      const name = `${role}_${index}`;
      await run(admin, `create database ${name} owner ${role} ${database}`);
      const own = new URL(admin);
      own.pathname = `/${name}`;
      if (sql !== undefined) await run(own.href, sql.replaceAll('$db', name));
      const url = new URL(own);
      [url.username, url.password] = [role, 'secret'];
      const desk = await openDesk(yamlOf('shop', `postgres: { url: "${url.href}" }`), away);
      await assertRefused(desk, what, says);
      const { rows } = await run(own.href, `select from pg_namespace where nspname = 'landfall'`);
      assert.equal(rows.length, 0, 'nothing was made');
      await desk.leave();
      await run(admin, `drop database ${name} with (force)`);
    });
  }

  it('is a standby, on which status works all the same', async () => {
    const database = await ownDatabase();
    const desk = await openDesk(yamlOf('shop', `postgres: { url: "${database.url}" }`), away);
    await database.server.stop();
    await writeFile(join(database.server.dataDir, 'standby.signal'), '');
    await database.server.restart();
    await assertRefused(
      desk,
      'writing',
      /the server is a standby, which takes no changes\. Point postgres\.url/,
    );
    const status = await desk.landfall('status');
    assert.equal(status.code, 0, status.err);
    await desk.leave();
    await database.drop();
  });
});

/** Nothing listens there. */
const away = { TEMPORAL_ADDRESS: '127.0.0.1:1' };

async function assertRefused(desk: Desk, what: string, says: RegExp): Promise<void> {
  const { code, out, err } = await desk.landfall('setup');
  assert.deepEqual([code, out], [1, '']);
  assert.match(err, /^Postgres at \S+ cannot be set up, and nothing was changed there:\n/);
  assert.match(err, says);
  assert.doesNotMatch(err, /secret/);
  const checked = await desk.landfall('check', '-o', 'json');
  const findings = JSON.parse(checked.out) as Finding[];
  const found = findings.find((one) => one.part === 'postgres' && one.what === what);
  assert.equal(found?.ok, false, checked.out);
  assert.match(`${what}: ${found.found}. ${found.mend ?? ''}`, says);
}

async function run(url: string, sql: string): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await client.query(sql);
  } finally {
    await client.end();
  }
}
