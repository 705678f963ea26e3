import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';

import { leanplum } from '../../../vendors/leanplum/vendor.js';
import { testDatabase, type TestDatabase } from '../../support/postgres.js';
import { createTablesOf } from '../create-tables.js';

const guide = new URL('../../../docs/leanplum.md', import.meta.url);

describe('the guide to Leanplum', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  let text: string;
  before(async () => {
    database = await testDatabase();
    await createTablesOf(leanplum, database.pool, 'leanplum');
    text = await readFile(guide, 'utf8');
  });
  after(async () => database.drop());

  it('has examples that run as they stand', async () => {
    const examples = [...text.matchAll(/```sql\n(.*?)```/gs)].map((match) => match[1] ?? '');
    assert.ok(examples.length >= 7);
    for (const example of examples) {
      await assert.doesNotReject(database.pool.query(example), `example:\n${example}`);
    }
  });

  it('names every table, view and column of its own', async () => {
    const { rows } = await database.pool.query<{ name: string; kind: string }>(
      `select relname as name, relkind as kind from pg_class
       where relnamespace = 'leanplum'::regnamespace and relkind in ('r', 'v')`,
    );
    assert.equal(rows.filter(({ kind }) => kind === 'v').length, 9);
    assert.deepEqual(
      rows.filter(({ name }) => !text.includes(`\`${name}\``)),
      [],
    );
  });
});
