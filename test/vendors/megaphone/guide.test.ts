import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';

import { parseConfig } from '../../../config/load.js';
import { testDatabase, type TestDatabase } from '../../support/postgres.js';
import { megaphoneTables } from '../../../vendors/megaphone/tables.js';
import { createTables, exampleMetric, putRows } from './rows.js';

const guide = new URL('../../../docs/megaphone.md', import.meta.url);

describe('the guide to Megaphone', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  let text: string;
  before(async () => {
    text = await readFile(guide, 'utf8');
    database = await testDatabase();
    await createTables(database.pool, 'podcasts');
    await putRows(database.pool, 'podcasts', 'metric', '2026-11-20', [exampleMetric]);
  });
  after(async () => database.drop());

  it('has examples that run as they stand', async () => {
    const examples = [...text.matchAll(/```sql\n(.*?)```/gs)].map((match) => match[1] ?? '');
    assert.ok(examples.length >= 5);
    for (const example of examples) {
      await assert.doesNotReject(database.pool.query(example), `example:\n${example}`);
    }
  });

  it('has a configuration that can be used', () => {
    const [yaml = ''] = [...text.matchAll(/```yaml\n(.*?)```/gs)].map((match) => match[1] ?? '');
    const env = { DATABASE_URL: 'postgres://127.0.0.1/warehouse' };
    // Its comments show settings that may be taken in.
    for (const settings of [yaml, yaml.replaceAll(/# (prefix|types):/g, '$1:')]) {
      const { sources } = parseConfig({ text: settings, name: 'landfall.yaml', path: '/l.yaml', env });
      assert.deepEqual(
        sources.map(({ name, vendor, schema }) => [name, vendor, schema]),
        [['podcasts', 'megaphone', 'podcasts']],
      );
    }
  });

  it('names every table, view and column', async () => {
    const { rows } = await database.pool.query<{ name: string }>(
      `select relname as name from pg_class
       where relnamespace = 'podcasts'::regnamespace and relkind in ('p', 'v')
       union
       select attname from pg_attribute
       where attrelid = 'podcasts.daily_episode'::regclass and attnum > 0`,
    );
    const columns = Object.values(megaphoneTables).flatMap((table) => table.columns.map(({ name }) => name));
    const unnamed = [...rows.map(({ name }) => name), ...columns].filter(
      (name) => !text.includes(`\`${name}\``),
    );
    assert.deepEqual(unnamed, []);
  });
});
