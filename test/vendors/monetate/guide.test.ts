import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';

import { parse } from 'yaml';

import { monetateSettings } from '../../../config/vendors/monetate.js';
import { testDatabase, type TestDatabase } from '../../support/postgres.js';
import { createTables } from './rows.js';

const guide = new URL('../../../docs/monetate.md', import.meta.url);

describe('the guide to Monetate', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  let text: string;
  before(async () => {
    database = await testDatabase();
    await createTables(database.pool, 'monetate');
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

  it('has settings that may stand so', () => {
    const [whole = '', masks = ''] = [...text.matchAll(/```yaml\n(.*?)```/gs)].map((match) => match[1] ?? '');
    const { sources } = parse(whole) as { sources: { visits: { store: object } } };
    const { visits } = sources;
    // What stands for secrets is filled in from the environment.
    const store = {
      ...visits.store,
      privateKey: '-----BEGIN PRIVATE KEY-----',
      hostKey: `SHA256:${'A'.repeat(43)}`,
    };
    const given = { ...visits, store, maskKey: 'k'.repeat(32), ...(parse(masks) as object) };
    assert.deepEqual(monetateSettings.safeParse(given).error?.issues ?? [], []);
  });

  it('names every table, view and column of its own', async () => {
    const { rows } = await database.pool.query<{ name: string; kind: string }>(
      `select relname as name, relkind as kind from pg_class
       where relnamespace = 'monetate'::regnamespace and relkind in ('r', 'v')`,
    );
    assert.equal(rows.filter(({ kind }) => kind === 'v').length, 8);
    assert.deepEqual(
      rows.filter(({ name }) => !text.includes(`\`${name}\``)),
      [],
    );
    const { rows: columns } = await database.pool.query<{ name: string }>(
      `select distinct attname as name from pg_attribute a join pg_class c on c.oid = a.attrelid
       where relnamespace = 'monetate'::regnamespace and relkind in ('r', 'v') and relname <> 'session' and attnum > 0`,
    );
    assert.deepEqual(
      columns.filter(({ name }) => !text.includes(`\`${name}\``)),
      [],
    );
  });
});
