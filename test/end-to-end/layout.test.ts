import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { writeDay } from '../../sandbox/optimizely/day.js';
import { deliver, load, signal, withWorker } from '../support/delivery.js';
import { assertConsistent } from '../support/landed.js';
import { inTemporaryFolder, prefix, testSource, type TestSource } from '../support/landfall.js';

const date = '2026-03-01';
const dayFolder = `${prefix}type=events/date=${date}/`;
const past = { deadline: 0 };

describe('the layout of a day', function () {
  this.timeout(60_000);
  let source: TestSource;
  beforeEach(async () => {
    source = await testSource({ settings: { shrinkLimit: '100%' } });
  });
  afterEach(() => source.drop());

  const byPartition = (): Promise<unknown[]> =>
    source.rows(
      `select partition_value, event_name, count(*)::int as n from experiments.conversion
       group by 1, 2 order by partition_value collate "C"`,
    );

  it('may have folders: their names are unescaped, and NULL is a name', async () => {
    const day = await deliver(source, { type: 'events', date, rows: 800, parts: 2 });
    const result = await load(source, 'events', date, {}, past);
    assert.equal(result.counts?.files, day.parts.length);
    const rowsOf = new Map<string | null, number>();
    for (const { partitionValue, rows } of day.parts)
      rowsOf.set(partitionValue, (rowsOf.get(partitionValue) ?? 0) + rows);
    assert.ok(rowsOf.has('menu/pricing:open') && rowsOf.has('NULL') && rowsOf.has('añadir_a_favoritos'));
    assert.deepEqual(
      await byPartition(),
      [...rowsOf.entries()]
        .sort(([a], [b]) => Buffer.compare(Buffer.from(a ?? ''), Buffer.from(b ?? '')))
        .map(([value, n]) => ({ partition_value: value, event_name: value === 'NULL' ? null : value, n })),
    );
    await assertConsistent(source.database.pool);
  });

  it('may have parts at any depth, beside each other', async () => {
    const places = ['', 'event=a/', 'event=b%3Ac/hour=03/', 'x/y/z/event=d/more/'];
    for (const [index, place] of places.entries())
      await source.bucket.put(`${dayFolder}${place}part-${index}.parquet`, await part(index));
    await source.bucket.put(`${dayFolder}_SUCCESS`, Buffer.alloc(0));
    assert.equal((await load(source, 'events', date, {}, past)).counts?.loaded, 160);
    assert.deepEqual(
      await source.rows(
        `select partition_value as p, count(*)::int as n from experiments.conversion group by 1 order by 1`,
      ),
      [
        { p: 'a', n: 40 },
        { p: 'b:c', n: 40 },
        { p: 'd', n: 40 },
        { p: null, n: 40 },
      ],
    );
  });

  it('may have hidden files, which are passed over, and parts of other days and types, which are theirs', async () => {
    await source.bucket.put(`${dayFolder}part-0.parquet`, await part(0));
    const others = [
      `${dayFolder}.part-0.parquet.crc`,
      `${dayFolder}_temporary/0/part-1.parquet`,
      `${dayFolder}_committed_17`,
      `${dayFolder}event=a/.hidden.parquet`,
      `${dayFolder}notes.txt`,
      `${prefix}type=events/date=2026-03-010/part-2.parquet`,
      `${prefix}type=events/date=2026-03-02/part-3.parquet`,
      `${prefix}type=decisions/date=${date}/part-4.parquet`,
    ];
    for (const [index, key] of others.entries()) await source.bucket.put(key, await part(index + 1));
    await source.bucket.put(`${dayFolder}_SUCCESS`, Buffer.alloc(0));
    const result = await load(source, 'events', date, {}, past);
    assert.deepEqual([result.counts?.files, result.counts?.loaded], [1, 40]);
  });

  describe('without a part', () => {
    it('is final with 0 rows, and can be asked like any other', async () => {
      await deliver(source, { type: 'events', date, rows: 0 });
      const result = await load(source, 'events', date, {}, past);
      assert.equal(result.finality, 'final');
      assert.deepEqual(result.counts, {
        files: 0,
        bytes: 0,
        parsed: 0,
        loaded: 0,
        quarantined: 0,
        duplicate: 0,
      });
      assert.match(result.reason, /empty day/);
      assert.deepEqual(
        await source.rows(
          `select count(*)::int as n from experiments.conversion where export_date = '${date}'`,
        ),
        [{ n: 0 }],
      );
      assert.deepEqual(await source.rows(`select * from experiments.total_conversions()`), []);
      await assertConsistent(source.database.pool);
    });

    it('is final with 0 rows also when a part without rows lies there', async () => {
      await deliver(source, { type: 'events', date, rows: 0, folders: false });
      const result = await load(source, 'events', date, {}, past);
      assert.deepEqual([result.finality, result.counts?.files, result.counts?.loaded], ['final', 1, 0]);
      await assertConsistent(source.database.pool);
    });

    it('empties the day that was loaded before, when it is loaded again', async () => {
      await deliver(source, { type: 'events', date, rows: 40, folders: false });
      await load(source, 'events', date, {}, past);
      for (const key of await source.bucket.list(dayFolder))
        if (key.includes('/part-')) await source.bucket.remove(key);
      const input = source.input('events', date, past);
      const result = await withWorker(source, (client) =>
        signal(source, client, 'reprocess', 'the vendor took it back', input),
      );
      assert.deepEqual([result.finality, result.counts?.loaded], ['final', 0]);
      assert.deepEqual(await source.rows('select count(*)::int as n from experiments.conversion'), [
        { n: 0 },
      ]);
      await assertConsistent(source.database.pool);
    });
  });
});

/** Body of a part with 40 rows; those of another index have other rows. */
async function part(index: number): Promise<Uint8Array> {
  return inTemporaryFolder(async (directory) => {
    const seed = `part ${index}`;
    const { parts } = await writeDay({ directory, type: 'events', date, rows: 40, folders: false, seed });
    return readFile(join(directory, parts[0]!.key));
  });
}
