import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { rulesOf, type Treatment } from '../../config/mask-rules.js';
import { secret } from '../../config/secret.js';
import { Failure, failureTypes } from '../../model/failure.js';
import { levelsOf } from '../../reader/nested/levels.js';
import { maskField, maskLine } from '../../reader/masks/rows.js';
import { masksOf, openMasks, withoutValues, type Masks } from '../../reader/masks/masks.js';
import { plainReader } from '../../reader/lines/plain-rows.js';
import { project } from '../../reader/projection.js';
import { readFile, readGroup } from '../../reader/read-file.js';
import { session as leanplumSession } from '../../vendors/leanplum/tables.js';
import { session } from '../../vendors/monetate/tables.js';
import type { RootTable } from '../../vendors/table.js';
import { constants, everyType } from './landing.js';
import { reading, textOf } from './reading.js';

const key = 'a key that is as long as a hash…';
const hmac = (text: string): string => createHmac('sha256', key).update(text).digest('hex');
const masksFor = (given: Readonly<Record<string, Treatment>>): Masks | undefined =>
  masksOf({ mask: rulesOf(given), maskKey: secret(key) });

describe('a source without rules', () => {
  const columns = everyType.columns.map(({ field }) => ({ name: field, type: 'VARCHAR' }));
  const sql = (masks: Masks | undefined, extra = false): ReturnType<typeof project> => {
    const more = extra ? [...columns, { name: 'more', type: 'VARCHAR' }] : columns;
    return project(everyType, more, 'file', 'line', { ...constants, masks });
  };

  it('has no masks, and one that only keeps has none either', () => {
    assert.equal(masksFor({}), undefined);
    assert.equal(masksFor({ a_text: 'keep', 'some_json.a': 'keep' }), undefined);
  });

  it('pays nothing: its queries hand on the values as they were typed', () => {
    const { good, bad, faults } = sql(undefined, true);
    assert.ok(![good, bad, faults].join().includes('mask'));
    assert.match(good, /, line, value_0, value_1, value_2, value_3, value_4, value_5, value_6, extra\n/);
    assert.match(faults, /^select line, case .* end as reason\n/s);
    assert.equal(sql(masksFor({ 'other:a_text': 'hash' }), true).good, good);
    const [first] = levelsOf(leanplumSession);
    assert.deepEqual(first?.values(constants).slice(1), [
      'line',
      ...leanplumSession.columns.map((_, index) => `value_${index}`),
      'extra',
    ]);
  });

  it('pays for a rule at its column, and at a field of its name in another case', () => {
    const good = sql(masksFor({ a_text: 'hash', an_instant: 'drop' })).good;
    assert.match(
      good,
      /, line, value_0, mask_text\(value_1\), null, value_3, value_4, value_5, value_6, nullif\(.* lower\(entry_0\.key\) in \('atext'\)/s,
    );
  });
});

describe('plain lines', () => {
  const table = { ...everyType, ofFile: [] };
  const read = (rules: Readonly<Record<string, Treatment>>, line: string) =>
    plainReader(table, { ...constants, masks: masksFor(rules) })(Buffer.from(`${line}\n`), 0);
  const line = '{"uuid":"a","aText":"ann"}';

  it('are read at once where a column is dropped, which is null then', () => {
    const dropped = read({ a_text: 'drop' }, line);
    const absent = read({}, '{"uuid":"a"}');
    assert.ok(absent);
    assert.deepEqual(dropped, absent);
  });

  it('are left to DuckDB where one has a value to be hashed, or one of the wrong type', () => {
    assert.equal(read({ a_text: 'hash' }, line), undefined);
    assert.ok(read({ a_text: 'hash' }, '{"uuid":"a","aText":null}'));
    assert.equal(read({ a_count: 'drop' }, '{"uuid":"a","aCount":"many"}'), undefined);
    assert.ok(read({ a_count: 'drop' }, '{"uuid":"a","aCount":7}'));
  });
});

describe('rows that repeat a value of the row they lie in', () => {
  const text = (name: string) => ({ name, type: 'text', field: name }) as const;
  const below = { key: 'ordinal', ordinal: 'ordinal', ofFile: [], columns: [text('note')] } as const;
  const root: RootTable = {
    ...{ name: 'person', key: 'mail', ofFile: [], columns: [text('mail')] },
    nested: [
      {
        ...below,
        ...{ name: 'visit', within: { field: 'visits', as: 'list' } },
        inherits: [{ name: 'mail', of: 'mail' }],
        nested: [
          {
            ...below,
            ...{ name: 'page', within: { field: 'pages', as: 'list' } },
            inherits: [
              { name: 'who', of: 'mail' },
              { name: 'has_note', of: 'note', as: 'presence' },
            ],
          },
        ],
      },
    ],
  };
  const line = '{"mail":"ann","visits":[{"note":"n","pages":[{"note":"p"}]}]}\n';
  const cases: readonly (readonly [Readonly<Record<string, Treatment>>, ...(string | undefined)[]])[] = [
    [{ mail: 'hash' }, hmac('ann'), hmac('ann'), hmac('ann')],
    [{ 'person:mail': 'hash' }, hmac('ann'), hmac('ann'), hmac('ann')],
    [{ 'person:mail': 'hash', who: 'drop' }, hmac('ann'), hmac('ann'), ''],
    [{ 'visit:mail': 'hash', 'page:who': 'keep' }, 'ann', hmac('ann'), hmac('ann')],
    [{ who: 'hash', 'visit:note': 'drop' }, 'ann', 'ann', hmac('ann')],
  ];
  for (const [rules, ...expected] of cases) {
    it(`see what ${JSON.stringify(rules)} left, hashed once`, async () => {
      const found = await reading(async (at) => {
        const path = join(at.folder, 'part');
        await writeFile(path, line);
        const given = { ...constants, masks: masksFor(rules) };
        const shape = { format: 'nested json lines', table: root } as const;
        const rows = await readFile(at.connection, shape, { path, key: 'part' }, given, at, at.signal);
        const values: Record<string, string | undefined> = {};
        await rows.good(async (stream, { name, columns }) => {
          const cells = (await textOf(stream)).trimEnd().split('\u0002');
          values[name] = cells[columns.findIndex((column) => /^(mail|who)$/.test(column))];
          if (name === 'page') values['has_note'] = cells[columns.indexOf('has_note')];
          return 1;
        });
        return values;
      });
      const [person, visit, page] = expected;
      assert.deepEqual(found, { person, visit, page, has_note: 'true' });
    });
  }
});

describe("DuckDB's own errors", () => {
  const error = new Error(`Conversion Error: Could not convert string 'ann' to INT64 when casting`);

  it('are told by their kind where something is masked, and as they are elsewhere', () => {
    const hidden = withoutValues(error, masksFor({ a_text: 'drop' }), 'part');
    assert.ok(hidden instanceof Error);
    assert.match(hidden.message, /^part: DuckDB ends with Conversion Error\. What else it says is not shown/);
    assert.ok(!(hidden.stack ?? '').includes('ann'));
    assert.equal(withoutValues(error, undefined, 'part'), error);
    const ours = new Failure(failureTypes.fileUnreadable, 'It is cut off.');
    assert.equal(withoutValues(ours, masksFor({ a_text: 'drop' }), 'part'), ours);
  });

  it('are so of a group of files too', () =>
    reading(async (at) => {
      const path = join(at.folder, 'file');
      await writeFile(path, '{"session_id":"a"}\n');
      const files = ['1', '2'].map((id) => ({ id, key: `file ${id}`, path }));
      const shape = { format: 'documents', table: session } as const;
      const said = async (masks: Masks | undefined): Promise<unknown> => {
        const given = { ...constants, masks };
        const rows = await readGroup(at.connection, shape, files, given, at.folder, at.signal);
        return rows.good(() => Promise.reject(error)).catch((thrown: unknown) => thrown);
      };
      const hidden = await said(masksFor({ customer_id: 'drop' }));
      assert.match(
        String(hidden),
        /file 1 and 1 files after it: DuckDB ends with Conversion Error\. What else/,
      );
      assert.equal(await said(undefined), error);
    }));
});

describe('a line of documents', () => {
  const ask = async (
    rules: Readonly<Record<string, Treatment>>,
    of: (masks: Masks) => string,
  ): Promise<unknown> =>
    reading(async ({ connection }) => {
      const masks = masksFor(rules)!;
      await openMasks(connection, masks);
      const found = await connection.runAndReadAll(`select (${of(masks)})::varchar`);
      const text = found.getRows()[0]?.[0];
      return typeof text === 'string' ? (JSON.parse(text) as unknown) : null;
    });
  const line = {
    ...{ session_id: 's', customer_id: 'ann', email: 'ann@', custom_targets: { 1: 'a', 2: ['b', null] } },
    ...{ offers: { 5: 1 }, view_lines: [{ sku: 'x' }], purchases: { p: 3 } },
  };
  const object = `'${JSON.stringify(line)}'::json`;

  it('is masked by the rules of its table', async () => {
    const rules = { customer_id: 'hash', custom_targets: 'hash', '_extra.email': 'drop' } as const;
    assert.deepEqual(await ask(rules, (masks) => maskLine(masks, session, object)), {
      ...{
        session_id: 's',
        customer_id: hmac('ann'),
        custom_targets: { 1: hmac('a'), 2: [hmac('b'), null] },
      },
      ...{ offers: { 5: 1 }, view_lines: [{ sku: 'x' }], purchases: { p: 3 } },
    });
  });

  it('leaves out a field whose rows or items cannot be masked in their place', async () => {
    const rules = { 'session_view_line:sku': 'hash', 'session_offer:variant_id': 'hash' } as const;
    const { offers, view_lines, ...others } = line;
    assert.deepEqual([offers, view_lines], [line.offers, line.view_lines]);
    assert.deepEqual(await ask(rules, (masks) => maskLine(masks, session, object)), others);
  });

  it('is masked by the key of a pair', async () => {
    const rules = { 'session_purchase:value.p': 'drop' } as const;
    assert.deepEqual(await ask(rules, (masks) => maskLine(masks, session, object)), {
      ...line,
      purchases: {},
    });
  });

  it('is masked field by field before anything is made of it', async () => {
    const column = (name: string) => session.columns.find((candidate) => candidate.name === name)!;
    const field = (name: string) => (masks: Masks) =>
      maskField(masks, 'session', column(name), `json_extract(${object}, '/${name}')`);
    const rules = { customer_id: 'hash', 'custom_targets.2': 'drop', offers: 'drop' } as const;
    assert.equal(await ask(rules, field('customer_id')), hmac('ann'));
    assert.deepEqual(await ask(rules, field('custom_targets')), { 1: 'a' });
    assert.equal(await ask(rules, field('offers')), null);
    assert.deepEqual(await ask(rules, field('view_lines')), [{ sku: 'x' }]);
    assert.equal(await ask(rules, field('guid')), null);
  });
});
