import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';

import { testDatabase, type TestDatabase } from '../../support/postgres.js';
import { createTables } from './load-parquet.js';

const guide = new URL('../../../docs/optimizely.md', import.meta.url);

describe('the guide to Optimizely', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  before(async () => {
    database = await testDatabase();
    await createTables(database.pool, 'optimizely');
  });
  after(async () => database.drop());

  it('has examples that run as they stand', async () => {
    const text = await readFile(guide, 'utf8');
    const examples = [...text.matchAll(/```sql\n(.*?)```/gs)].map((match) => match[1] ?? '');
    assert.ok(examples.length >= 9);
    for (const example of examples) {
      await assert.doesNotReject(database.pool.query(example), `example:\n${example}`);
    }
  });

  it('names every function and view', async () => {
    const text = await readFile(guide, 'utf8');
    const { rows } = await database.pool.query<{ name: string }>(
      `select proname as name from pg_proc where pronamespace = 'optimizely'::regnamespace
       union select relname from pg_class where relnamespace = 'optimizely'::regnamespace and relkind = 'v'`,
    );
    const unnamed = rows.map(({ name }) => name).filter((name) => !text.includes(`\`${name}`));
    assert.deepEqual(unnamed, []);
    assert.equal(rows.length, 13);
  });
});
