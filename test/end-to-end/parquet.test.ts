import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { DuckDBInstance } from '@duckdb/node-api';

import type { DayToWrite } from '../../sandbox/optimizely/day.js';
import { deliver, load } from '../support/delivery.js';
import { assertConsistent, landed } from '../support/landed.js';
import { inTemporaryFolder, testSource, type TestSource } from '../support/landfall.js';

const date = '2026-03-01';
const past = { deadline: 0 };
const day = { type: 'events', date, rows: 600, parts: 2, folders: false } as const;

describe('parts by other writers than the vendor has today', function () {
  this.timeout(60_000);
  let source: TestSource;
  beforeEach(async () => {
    source = await testSource();
  });
  afterEach(() => source.drop());

  const conversions = (columns: string): Promise<unknown[]> =>
    source.rows(`select ${columns} from experiments.conversion order by _file_id, _line`);

  /** Digests of all columns but the file's name, which tells the compression. */
  const loadedValues = async (options: Partial<DayToWrite> = {}): Promise<Record<string, string>> => {
    await deliver(source, { ...day, ...options });
    const result = await load(source, 'events', date, {}, past);
    assert.equal(result.finality, 'final');
    assert.equal(result.counts?.loaded, day.rows);
    await assertConsistent(source.database.pool);
    return { ...(await landed(source.database.pool)).tables['conversion'], file: '' };
  };

  describe('give the same rows as snappy in pages of version 1', () => {
    let expected: Record<string, string>;
    before(async () => {
      source = await testSource();
      expected = await loadedValues();
      await source.drop();
    });

    const writings: readonly (readonly [string, Partial<DayToWrite>])[] = [
      ['zstd', { compression: 'zstd' }],
      ['gzip', { compression: 'gzip' }],
      ['no compression', { compression: 'uncompressed' }],
      ['pages of version 2, with delta encodings', { parquetVersion: 'V2', dictionary: false }],
      ['pages of version 2 in zstd', { parquetVersion: 'V2', compression: 'zstd' }],
      ['plain pages only', { dictionary: false }],
    ];
    for (const [name, options] of writings) {
      it(name, async () => assert.deepEqual(await loadedValues(options), expected));
    }
  });

  for (const pages of ['pages-v1', 'pages-v2']) {
    it(`every value of columns that change from dictionary to plain pages (${pages})`, async () => {
      await putFile(`part-0.${pages}.parquet`, await readFile(fixture(`${pages}.parquet`)));
      await putFile('_SUCCESS', Buffer.alloc(0));
      assert.equal((await load(source, 'events', date, {}, past)).counts?.loaded, 3_000);
      const read = await conversions(
        `uuid, timestamp, visitor_id, session_id, referer, revenue, value, quantity, tags, _extra,
         jsonb_path_query_array(experiments, '$[*].experiment_id') as experiments, attributes #>> '{0,value}' as attribute`,
      );
      assert.deepEqual(
        read,
        Array.from({ length: 3_000 }, (_, i) => ({
          uuid: `00000000-0000-4000-8000-${String(i).padStart(12, '0')}`,
          timestamp: new Date(Date.parse('2026-03-01T00:00:00Z') + i * 1000),
          visitor_id: `visitor-${i >= 1000 ? i : i % 10}`,
          session_id: i % 3 === 0 ? null : String(i - 1500),
          referer: i % 2 === 1 ? null : `https://shop.example/${i}`,
          revenue: String(i * 25),
          value: i % 7 === 0 ? null : i / 4,
          quantity: i % 2 === 1 ? null : '9007199254740993',
          tags: i % 2 === 1 ? {} : { n: String(i) },
          _extra: null,
          experiments: i % 4 === 0 ? null : Array<string>((i % 4) - 1).fill(`x${i}`),
          attribute: `d${i}`,
        })),
      );
    });
  }

  it('keep a column that nobody knows in _extra, null where all of them are', async () => {
    await deliver(source, {
      ...day,
      rows: 6,
      parts: 1,
      fields: {
        new_id: '9007199254740993 + i',
        'Odd name: ü': `CASE WHEN i % 2 = 0 THEN {'a': [i], 'b': 'ü'} END`,
        maybe: 'CASE WHEN i = 3 THEN true END',
      },
    });
    assert.equal((await load(source, 'events', date, {}, past)).counts?.loaded, 6);
    const rows = await source.rows(
      `select _extra ->> 'new_id' as id, _extra -> 'Odd name: ü' as odd, _extra -> 'maybe' as maybe
       from experiments.conversion order by _line`,
    );
    assert.deepEqual(
      rows,
      Array.from({ length: 6 }, (_, i) => ({
        id: String(9007199254740993n + BigInt(i)),
        odd: i % 2 === 0 ? { a: [i], b: 'ü' } : null,
        maybe: i === 3 ? true : null,
      })),
    );
  });

  it('leave NULL where they lack a column, as since 2023-10-09', async () => {
    await deliver(source, { ...day, omit: ['session_id', 'experiments'] });
    assert.equal((await load(source, 'events', date, {}, past)).counts?.loaded, day.rows);
    const rows = await source.rows(
      'select count(*)::int as n, count(session_id)::int as s, count(experiments)::int as e from experiments.conversion',
    );
    assert.deepEqual(rows, [{ n: day.rows, s: 0, e: 0 }]);
  });

  it('may hold other types for the same values', async () => {
    const same = { revenue: '25 * i', account_id: `'24680135790'`, quantity: 'i', value: 'i / 4' };
    const attributes = `[{'id': NULL, 'name': 'plan "ü"', 'type': 'custom', 'value': i::VARCHAR}]`;
    const instant = 'epoch_ms(1772323200000 + 1001 * i)';
    const expected = await loadedValues({
      fields: { ...same, attributes, timestamp: instant, process_timestamp: `${instant}::TIMESTAMP_MS` },
    });
    await source.drop();
    source = await testSource();
    const other = await loadedValues({
      fields: {
        // INT64 milliseconds, as the vendor's page calls them, and a zoned instant in microseconds.
        timestamp: '1772323200000 + 1001 * i',
        process_timestamp: `${instant}::TIMESTAMPTZ`,
        revenue: '(25 * i)::VARCHAR',
        account_id: '24680135790::BIGINT',
        quantity: 'i::UINTEGER',
        value: '(i / 4)::DECIMAL(18, 6)',
        attributes: `to_json(${attributes})::VARCHAR`,
      },
    });
    assert.deepEqual(other, expected);
  });

  it('are read each by its own footer, also when two of a step are equally long', async () => {
    await inTemporaryFolder(async (folder) => {
      const [long, short] = [join(folder, 'long.parquet'), join(folder, 'short.parquet')];
      await writePadded(long, 1_000, 10);
      // The footer tells the length of its padding, and that takes more or fewer bytes itself.
      let padding = 10;
      for (let missing = 1; missing !== 0 && padding < 100_000; padding += missing) {
        await writePadded(short, 900, padding);
        missing = (await stat(long)).size - (await stat(short)).size;
      }
      assert.equal(
        (await stat(short)).size,
        (await stat(long)).size,
        'the test needs two files of one length',
      );
      await putFile('part-1.parquet', await readFile(long));
      await putFile('part-2.parquet', await readFile(short));
      await putFile('_SUCCESS', Buffer.alloc(0));
    });
    assert.equal((await load(source, 'events', date, {}, past)).counts?.loaded, 1_900);
  });

  function putFile(name: string, body: string | Uint8Array): Promise<string> {
    return source.bucket.put(`v1/account_id=1/type=events/date=${date}/${name}`, body);
  }
});

function fixture(name: string): string {
  return fileURLToPath(new URL(`../vendors/optimizely/files/${name}`, import.meta.url));
}

/** A small file whose footer holds padding, so that its length can be chosen. */
async function writePadded(path: string, rows: number, padding: number): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  try {
    await connection.run(
      `COPY (SELECT '${rows}-' || (10000 + i) AS uuid, i AS revenue FROM range(${rows}) AS numbers(i))
       TO '${path}' (FORMAT parquet, COMPRESSION uncompressed, KV_METADATA {padding: '${'p'.repeat(padding)}'})`,
    );
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
