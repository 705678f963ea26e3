import assert from 'node:assert/strict';

import type { WrittenDay } from '../../sandbox/optimizely/day.js';
import { deliver, load } from '../support/delivery.js';
import { faultyS3, getOf, type FaultyS3, type RequestMatcher } from '../support/faulty-s3.js';
import { assertConsistent } from '../support/landed.js';
import { prefix, testSource, type TestSource } from '../support/landfall.js';
import { testS3, type S3Access } from '../support/s3.js';
import { skip } from '../support/skip.js';
import { versityS3 } from '../support/versitygw.js';

const date = '2026-03-01';
const day = { type: 'events', date, rows: 6_000, parts: 3, folders: false } as const;

const servers: readonly (readonly [string, () => Promise<S3Access | string>])[] = [
  ['s3rver, which ignores If-Match', testS3],
  ['versitygw, which honours it', versityS3],
];

for (const [name, start] of servers) {
  describe(`a part that the vendor touches after it was listed (${name})`, function () {
    this.timeout(60_000);
    let store: FaultyS3;
    let source: TestSource;
    let written: WrittenDay;
    let key: string;
    let other: Uint8Array;

    beforeEach(async function () {
      const server = await start();
      if (typeof server === 'string') skip(this, server);
      store = await faultyS3(server);
      source = await testSource({ store: server, through: store.endpoint });
      // Another day's rows take the place of a part's.
      const { parts } = await deliver(source, { ...day, seed: 'anew', rows: 900 });
      other = await source.bucket.read(prefix + parts[1]!.key);
      written = await deliver(source, day);
      key = prefix + written.parts[1]!.key;
    });
    afterEach(async () => {
      await source?.drop();
      await store?.stop();
    });

    const loadIt = () => load(source, 'events', date, {}, { deadline: 0 });
    const thePart: RequestMatcher = (request) => getOf(key)(request);
    const kept = (): number => written.rows - written.parts[1]!.rows;

    /** The day's rows are those of the other parts and `expected` ones of this key, all of one version. */
    const assertVersions = async (expected: number): Promise<void> => {
      const versions = await source.rows(
        `select count(distinct f.version)::int as versions, count(*)::int as rows
         from experiments.conversion c join landfall.file f on f.id = c._file_id
         where f.key = '${key.slice(prefix.length)}'`,
      );
      assert.deepEqual(versions, [{ versions: expected === 0 ? 0 : 1, rows: expected }]);
      assert.deepEqual(await source.rows(`select state from landfall.load order by id`), [
        { state: 'abandoned' },
        { state: 'published' },
      ]);
      await assertConsistent(source.database.pool);
    };

    it('written anew: the delivery is planned again and holds the new rows only', async () => {
      store.fail(thePart, { kind: 'before', act: () => source.bucket.put(key, other) });
      const result = await loadIt();
      assert.deepEqual([result.finality, result.counts?.loaded], ['final', kept() + 300]);
      await assertVersions(300);
    });

    it('written anew while it was being read: no mixture of both', async () => {
      store.fail(thePart, { kind: 'cut', afterBytes: 20_000 });
      store.fail(thePart, { kind: 'before', act: () => source.bucket.put(key, other) });
      const result = await loadIt();
      assert.deepEqual([result.finality, result.counts?.loaded], ['final', kept() + 300]);
      await assertVersions(300);
    });

    it('written anew with as many bytes: no mixture of both', async () => {
      const body = await source.bucket.read(key);
      const same = Buffer.from(body);
      // The writer's name in the footer says the same to a reader and makes another version.
      const place = same.lastIndexOf('DuckDB');
      same.write('OtherD', place);
      store.fail(thePart, { kind: 'cut', afterBytes: 20_000 });
      store.fail(thePart, { kind: 'before', act: () => source.bucket.put(key, same) });
      const result = await loadIt();
      assert.deepEqual([result.finality, result.counts?.loaded], ['final', written.rows]);
      await assertVersions(written.parts[1]!.rows);
    });

    it('taken away: the delivery is planned again and holds the other parts', async () => {
      store.fail(thePart, { kind: 'before', act: () => source.bucket.remove(key) });
      const result = await loadIt();
      assert.deepEqual([result.finality, result.counts?.loaded], ['final', kept()]);
      await assertVersions(0);
    });
  });
}
