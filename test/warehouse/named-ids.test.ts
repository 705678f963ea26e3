import assert from 'node:assert/strict';

import fc from 'fast-check';

import { namedTables } from '../../vendors/monetate/named-tables.js';
import {
  countNames,
  putAbsent,
  putNames,
  unheardIds,
  unnamedIds,
  type NamesOf,
} from '../../warehouse/named-ids.js';
import { prepareSource } from '../../warehouse/prepare-source.js';
import { vendors } from '../../vendors/registry.js';
import { testDatabase, type TestDatabase } from '../support/postgres.js';
import { putRows } from '../vendors/monetate/rows.js';

const schema = 'monetate';
const of: NamesOf = { schema, table: namedTables.pageevent };
const day = 86_400_000;
const first = Date.parse('2026-11-20T03:00:00.123Z');
const at = (days: number): number => first + days * day;
const title = (id: string, text: string | null = `Event ${id}`) => ({ id, title: text });

describe('what ids are called', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  before(async () => {
    database = await testDatabase();
    await prepareSource(
      database.pool,
      { name: 'visits', vendor: 'monetate', schema },
      vendors.monetate.scripts,
    );
  });
  beforeEach(() =>
    database.pool.query(`truncate ${schema}.variant, ${schema}.page_event, ${schema}.custom_target`),
  );
  after(() => database.drop());

  /** Id, title, and the days on which it was first and last given, and first absent. */
  const known = async (): Promise<unknown[][]> => {
    const days = (column: string): string =>
      `extract(epoch from ${column} - to_timestamp(${first} / 1000.0))::float8 / 86400`;
    const { rows } = await database.pool.query<unknown[]>({
      text: `select page_event_id, title, ${['first_seen', 'last_seen', 'gone_at'].map(days).join(', ')}
             from ${schema}.page_event order by page_event_id`,
      rowMode: 'array',
    });
    return rows;
  };
  const put = (days: number, ...rows: readonly ReturnType<typeof title>[]): Promise<void> =>
    putNames(database.pool, of, rows, at(days));
  const absent = (days: number, ...ids: readonly string[]): Promise<void> =>
    putAbsent(database.pool, of, ids, at(days));
  const counts = (days: number) => countNames(database.pool, of, at(days));

  it('is kept with when it was given first and last', async () => {
    await put(0, title('7'), title('8'));
    assert.deepEqual(await counts(0), { named: 2, new: 2, gone: 0, unknown: 0 });
    await put(1, title('7', 'Renamed'), title('9', null));
    assert.deepEqual(await known(), [
      ['7', 'Renamed', 0, 1, null],
      ['8', 'Event 8', 0, 0, null],
      ['9', null, 1, 1, null],
    ]);
    assert.deepEqual(await counts(1), { named: 2, new: 1, gone: 0, unknown: 0 });
  });

  it('a deleted id keeps its last names and the day on which it was first missed; one that comes back is there again', async () => {
    await put(0, title('7'));
    await absent(1, '7', '7');
    assert.deepEqual(await counts(1), { named: 0, new: 0, gone: 1, unknown: 0 });
    await absent(2, '7');
    assert.deepEqual(await known(), [['7', 'Event 7', 0, 0, 1]]);
    assert.deepEqual(await counts(2), { named: 0, new: 0, gone: 0, unknown: 0 });
    await put(3, title('7', 'Back'));
    assert.deepEqual(await known(), [['7', 'Back', 0, 3, null]]);
    assert.deepEqual(await counts(3), { named: 1, new: 0, gone: 0, unknown: 0 });
  });

  it('an id that never had a name is known for that; when it gets one it is new', async () => {
    await absent(0, '7');
    assert.deepEqual(await known(), [['7', null, null, null, 0]]);
    assert.deepEqual(await counts(0), { named: 0, new: 0, gone: 0, unknown: 1 });
    await put(1, title('7'));
    assert.deepEqual(await known(), [['7', 'Event 7', 1, 1, null]]);
    assert.deepEqual(await counts(1), { named: 1, new: 1, gone: 0, unknown: 0 });
  });

  it('an answer of an earlier run, which comes late, changes nothing', async () => {
    await put(2, title('7', 'Newer'));
    await put(1, title('7', 'Older'));
    await absent(1, '7');
    assert.deepEqual(await known(), [['7', 'Newer', 2, 2, null]]);
    await absent(3, '7');
    await put(2, title('7', 'Older'));
    assert.deepEqual(await known(), [['7', 'Newer', 2, 2, 3]]);
  });

  it('texts lose what Postgres cannot keep, and an id that a page has twice is one', async () => {
    await put(0, title('7', 'a'), title('7', 'b\0c\ud83d'), title('8', '😀 "\\u0000"'));
    assert.deepEqual(
      (await known()).map(([, text]) => text),
      ['b\u{fffd}c\u{fffd}', '😀 "\\u0000"'],
    );
  });

  it('has every column of its kind', async () => {
    const variants = { schema, table: namedTables.variant };
    await putNames(
      database.pool,
      variants,
      [
        {
          ...{
            id: '1',
            variant_name: 'A',
            variant_description: '',
            experience_id: '5',
            experience_name: 'B',
          },
          ...{ experience_type: 't', integration_type: 'js-tag', account_domain: 'x.com' },
        },
      ],
      first,
    );
    const targets = { schema, table: namedTables.customtarget };
    const flags = { is_identifier: true, collects_person_id: null };
    await putNames(database.pool, targets, [{ id: '2', title: 'T', description: 'D', ...flags }], first);
    const row = async (table: string): Promise<unknown[]> =>
      (await database.pool.query<unknown[]>({ text: `select * from ${schema}.${table}`, rowMode: 'array' }))
        .rows[0]!;
    assert.deepEqual((await row('variant')).slice(0, 8), ['1', 'A', '', '5', 'B', 't', 'js-tag', 'x.com']);
    assert.deepEqual((await row('custom_target')).slice(0, 5), ['2', 'T', 'D', true, null]);
  });

  it('of ids of which a run has heard nothing it is asked, longest unheard of first, and no more than so many', async () => {
    await put(0, ...['5', '6', '7', '8'].map((id) => title(id)));
    await put(1, title('5'));
    await absent(1, '8');
    const unheard = (days: number, limit = 10) => unheardIds(database.pool, of, at(days), limit);
    assert.deepEqual(await unheard(1), { ids: ['6', '7'], more: 0 });
    assert.deepEqual(await unheard(2, 2), { ids: ['6', '7'], more: 1 });
    assert.deepEqual(await unheard(0), { ids: [], more: 0 });
  });

  describe('is asked of ids in sessions', () => {
    /** Files 1 to 3 are the 20th's, 4 the 21st's; of the 20th there was an earlier load, of file 5. */
    before(async () => {
      await database.pool.query(
        `insert into landfall.delivery (id, source, type, date, finality, since)
         select 'visits/' || day, 'visits', 'sessions', day::date, 'final', now()
         from unnest(array['2026-11-20', '2026-11-21', '2026-11-22']) as day;
         insert into landfall.file (source, key, version, size, modified_at)
         select 'visits', 'file ' || number, 'v', 1, now() from generate_series(1, 5) as number;
         insert into landfall.load (delivery_id, request, fingerprint, state) values
           ('visits/2026-11-20', '1', 'a', 'published'), ('visits/2026-11-21', '1', 'b', 'published'),
           ('visits/2026-11-20', '0', 'c', 'replaced'), ('visits/2026-11-22', '1', 'd', 'staging');
         insert into landfall.load_file (load_id, file_id, batch)
         values (1, 1, 0), (1, 2, 0), (1, 3, 0), (2, 4, 0), (3, 5, 0), (4, 4, 0);`,
      );
      const used: readonly (readonly [file: number, id: string])[] = [
        ...([
          [1, '7'],
          [1, '8'],
          [2, '8'],
          [3, '8'],
          [3, '9'],
          [1, '9'],
        ] as const),
        ...([
          [2, '../x'],
          [2, ''],
          [2, '1'.repeat(20)],
          [2, '٣'],
          [4, '40'],
          [5, '50'],
        ] as const),
      ];
      await putRows(
        database.pool,
        schema,
        'session_page_event',
        used.map(([file, id], index) => ({
          ...{ session_id: `s${index}`, ordinal: 1, page_event_id: id, _file_id: file },
        })),
      );
    });
    const unnamed = (date: string, askedBefore = at(0), limit = 10) =>
      unnamedIds(database.pool, of, { delivery: `visits/${date}`, askedBefore, limit });

    it('of that day, most frequent first', async () => {
      assert.deepEqual(await unnamed('2026-11-20'), { ids: ['8', '9', '7'], more: 0 });
      assert.deepEqual(await unnamed('2026-11-20', at(0), 2), { ids: ['8', '9'], more: 1 });
      assert.deepEqual(await unnamed('2026-11-21'), { ids: ['40'], more: 0 });
    });

    it('that readers see', async () => {
      assert.deepEqual(await unnamed('2026-11-22'), { ids: [], more: 0 });
      assert.deepEqual(await unnamed('2026-11-23'), { ids: [], more: 0 });
    });

    it('that have no name, also no last one', async () => {
      await put(0, title('8'), title('9', null));
      await absent(1, '9');
      assert.deepEqual(await unnamed('2026-11-20'), { ids: ['7'], more: 0 });
    });

    it('and were not asked for in vain of late', async () => {
      await absent(0, '7');
      assert.deepEqual(await unnamed('2026-11-20', at(-1)), { ids: ['8', '9'], more: 0 });
      assert.deepEqual(await unnamed('2026-11-20', at(0)), { ids: ['8', '9'], more: 0 });
      assert.deepEqual(await unnamed('2026-11-20', at(1)), { ids: ['8', '9', '7'], more: 0 });
    });
  });

  it('comes out the same, whichever answers come twice or late', async () => {
    const answer = fc.record({
      run: fc.integer({ min: 0, max: 3 }),
      id: fc.constantFrom('1', '2'),
      there: fc.boolean(),
    });
    /** What one run hears of an id is one thing. */
    const answers = fc.uniqueArray(answer, { selector: ({ run, id }) => `${run} ${id}`, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(answers, fc.array(fc.nat()), async (given, again) => {
        await database.pool.query(`truncate ${schema}.page_event`);
        const inOrder = [...given].sort((one, other) => one.run - other.run);
        const tell = ({ run, id, there }: (typeof given)[number]): Promise<void> =>
          there ? put(run, title(id, `${id} in ${run}`)) : absent(run, id);
        for (const one of inOrder) await tell(one);
        const expected = await known();
        for (const index of again) if (inOrder.length > 0) await tell(inOrder[index % inOrder.length]!);
        assert.deepEqual(await known(), expected);
        for (const [id, text, from, to, gone] of expected) {
          const heard = inOrder.filter((one) => one.id === id);
          const named = heard.filter(({ there }) => there).map(({ run }) => run);
          const lastly = heard.slice(heard.findLastIndex(({ there }) => there) + 1);
          assert.deepEqual(
            [text, from, to, gone],
            [
              named.length > 0 ? `${String(id)} in ${named.at(-1)}` : null,
              ...[named[0] ?? null, named.at(-1) ?? null, lastly[0]?.run ?? null],
            ],
          );
        }
      }),
      { numRuns: 40 },
    );
  });
});
