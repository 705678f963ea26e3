import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';

import { parse } from 'yaml';

import { receiverSettings } from '../../../config/receiver.js';
import { dynatraceSettings } from '../../../config/vendors/dynatrace.js';
import { storedTables } from '../../../vendors/dynatrace/tables.js';
import { setupHints } from '../../../vendors/dynatrace/setup-hints.js';
import { dynatrace } from '../../../vendors/dynatrace/vendor.js';
import { testDatabase, type TestDatabase } from '../../support/postgres.js';
import { createTablesOf } from '../create-tables.js';

const guide = new URL('../../../docs/dynatrace.md', import.meta.url);

interface Example {
  readonly receiver: { readonly url: string };
  readonly sources: { readonly rum: { readonly auth: { readonly basic: { readonly username: string } } } };
}

describe('the guide to Dynatrace', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  let text: string;
  before(async () => {
    database = await testDatabase();
    await createTablesOf(dynatrace, database.pool, 'dynatrace');
    text = await readFile(guide, 'utf8');
  });
  after(async () => database.drop());

  const blocks = (language: string): readonly string[] =>
    [...text.matchAll(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 'gs'))].map((match) => match[1] ?? '');

  it('has examples that run as they stand', async () => {
    const examples = blocks('sql');
    assert.ok(examples.length >= 6);
    for (const example of examples) {
      await assert.doesNotReject(database.pool.query(example), `example:\n${example}`);
    }
  });

  it('has settings that may stand so', () => {
    const [whole = '', masks = ''] = blocks('yaml');
    const { receiver, sources } = parse(whole) as Example;
    const given = { ...sources.rum, ...(parse(masks) as object), maskKey: 'k'.repeat(32) };
    assert.deepEqual(dynatraceSettings.safeParse(given).error?.issues ?? [], []);
    assert.deepEqual(receiverSettings.safeParse(receiver).error?.issues ?? [], []);
  });

  it('shows the form as the command does', () => {
    const { receiver, sources } = parse(blocks('yaml')[0] ?? '') as Example;
    const { basic } = sources.rum.auth;
    const hints = setupHints({
      ...{ url: receiver.url, path: '/dynatrace/rum', source: 'rum', basic, bearer: false },
    });
    for (const { setting } of hints) {
      const [label = ''] = setting.split(':');
      assert.ok(text.toLowerCase().includes(label.toLowerCase()), setting);
    }
    assert.ok(text.includes(`\`${hints[1]?.enter ?? ''}\``));
  });

  it('names every table and view, and the columns of all but the two widest', async () => {
    const { rows } = await database.pool.query<{ name: string; kind: string }>(
      `select relname as name, relkind as kind from pg_class
       where relnamespace = 'dynatrace'::regnamespace and relkind in ('r', 'v')`,
    );
    assert.equal(rows.filter(({ kind }) => kind === 'v').length, 4);
    assert.deepEqual(
      rows.filter(({ name }) => !text.includes(`\`${name}\``)),
      [],
    );
    const { rows: columns } = await database.pool.query<{ name: string }>(
      `select distinct attname as name from pg_attribute a join pg_class c on c.oid = a.attrelid
       where relnamespace = 'dynatrace'::regnamespace and relkind in ('r', 'v')
         and relname not in ('user_session', 'user_action') and attnum > 0`,
    );
    assert.deepEqual(
      columns.filter(({ name }) => !text.includes(`\`${name}\``)),
      [],
    );
  });

  it('counts the columns of these two right', () => {
    for (const table of ['user_session', 'user_action']) {
      const stored = storedTables.find(({ name }) => name === table);
      const own = (stored?.columns.length ?? 0) - (stored?.key.length ?? 0);
      assert.ok(new RegExp(`\\| \`${table}\` .* ${own} fields`).test(text), `${table} has ${own}`);
    }
  });
});
