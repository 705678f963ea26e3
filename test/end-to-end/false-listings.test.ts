/** Servers and what stands before them answer a listing with something else now and then: nothing is lost by it. */

import assert from 'node:assert/strict';

import { deliver, load, signal, withWorker } from '../support/delivery.js';
import { falseListings } from '../support/false-listings.js';
import { faultyS3, listing, type FaultyS3, type RequestMatcher } from '../support/faulty-s3.js';
import { assertConsistent } from '../support/landed.js';
import { testSource, type TestSource } from '../support/landfall.js';
import { randomNumbers } from '../support/random.js';

const date = '2026-03-01';
const rows = 700;
const rounds = 12;

/** A sound listing of the right bucket and prefix, of which every entry is gone: only another listing shows that it lies. */
const emptied = (xml: string): string =>
  xml
    .replaceAll(/<(Contents|CommonPrefixes)>.*?<\/\1>/gs, '')
    .replace(/<KeyCount>\d+/, '<KeyCount>0')
    .replace(/<IsTruncated>\w+/, '<IsTruncated>false');

describe('a final day whose store answers a listing with something else', function () {
  this.timeout(180_000);
  let store: FaultyS3;
  let source: TestSource;
  beforeEach(async () => {
    store = await faultyS3();
    source = await testSource({ through: store.endpoint });
  });
  afterEach(async () => {
    await source.drop();
    await store.stop();
  });

  /** The first is what looks for the marker, the second what plans the load. */
  const nth = (which: number): RequestMatcher => {
    let seen = 0;
    return (request) => listing(request) && ++seen === which;
  };
  const input = { deadline: Date.now() + 3_600_000 };

  const reprocessed = async (what: string): Promise<void> => {
    await withWorker(source, async (client) => {
      const result = await signal(source, client, 'reprocess', what, source.input('events', date, input));
      assert.deepEqual([what, result.finality, result.counts?.loaded], [what, 'final', rows]);
    });
    const [there] = await source.rows('select count(*)::integer as rows from experiments.conversion');
    assert.equal(there?.['rows'], rows, what);
    store.heal();
  };

  it(`keeps its ${rows} rows, whichever listing it is and whatever comes instead`, async () => {
    const seed = Date.now() % 1_000_000;
    const random = randomNumbers(seed);
    await deliver(source, { type: 'events', date, rows, parts: 3, folders: false });
    await load(source, 'events', date, {}, input);
    for (let round = 0; round < rounds; round += 1) {
      const which = 1 + Math.floor(random() * 2);
      const { what, body } = falseListings[Math.floor(random() * falseListings.length)]!;
      store.fail(nth(which), { kind: 'rewrite', body });
      await reprocessed(`seed ${seed}, round ${round}: listing ${which} is ${what}`);
    }
    await assertConsistent(source.database.pool);
  });

  it('keeps them where the listing of its plan is sound, and without its marker and parts', async () => {
    await deliver(source, { type: 'events', date, rows, parts: 3, folders: false });
    await load(source, 'events', date, {}, input);
    store.fail(nth(2), { kind: 'rewrite', body: emptied });
    await reprocessed('its plan is empty');
    await assertConsistent(source.database.pool);
  });

  it('keeps them where somebody accepted it without its marker, and one listing shows nothing', async () => {
    await deliver(source, { type: 'events', date, rows, parts: 3, folders: false });
    for (const key of await source.bucket.list('')) {
      if (key.endsWith('_SUCCESS')) await source.bucket.remove(key);
    }
    // The look may be believed: that the marker is not there is what was accepted.
    store.fail(nth(2), { kind: 'rewrite', body: emptied });
    await withWorker(source, async (client) => {
      const result = await signal(source, client, 'accept', 'as it is', source.input('events', date, input));
      assert.deepEqual([result.finality, result.counts?.loaded], ['final', rows]);
    });
  });
});
