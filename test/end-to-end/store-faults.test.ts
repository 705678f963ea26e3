import assert from 'node:assert/strict';

import { WorkflowFailedError } from '@temporalio/client';

import type { DayToWrite, WrittenDay } from '../../sandbox/optimizely/day.js';
import { openStore } from '../../stores/open.js';
import type { WorkerSettings } from '../../worker/create.js';
import { deliver, load, signal, withWorker } from '../support/delivery.js';
import {
  accessDenied,
  faultyS3,
  getOf,
  listing,
  slowDown,
  type FaultyS3,
  type RequestMatcher,
} from '../support/faulty-s3.js';
import { assertConsistent } from '../support/landed.js';
import { testSource, type TestSource } from '../support/landfall.js';

const date = '2026-03-01';
const past = { deadline: 0 };
const anyPart = getOf('.parquet');

describe('a store that fails', function () {
  this.timeout(60_000);
  let store: FaultyS3;
  let source: TestSource;
  let day: WrittenDay;
  beforeEach(async () => {
    store = await faultyS3();
    source = await testSource({ through: store.endpoint, settings: { refusalGrace: '2 seconds' } });
  });
  afterEach(async () => {
    await source.drop();
    await store.stop();
  });

  const write = async (options: Partial<DayToWrite> = {}): Promise<void> => {
    day = await deliver(source, { type: 'events', date, rows: 900, parts: 3, folders: false, ...options });
  };
  const loadsAll = async (changes: Partial<WorkerSettings> = {}): Promise<void> => {
    const result = await load(source, 'events', date, changes, past);
    assert.equal(result.finality, 'final');
    assert.equal(result.counts?.loaded, day.rows);
    await assertConsistent(source.database.pool);
  };
  /** Offsets at which downloads of parts began. */
  const offsets = (): number[] =>
    store.requests
      .filter(anyPart)
      .map(({ headers }) => Number(/^bytes=(\d+)-$/.exec(String(headers['range']))?.[1] ?? 0));

  it('by 503 SlowDown, again and again: the delivery is final in the end', async () => {
    await write();
    store.fail(listing, slowDown, 4);
    store.fail(anyPart, slowDown, 4);
    await loadsAll();
    assert.ok(store.count(anyPart) >= 7, `${store.count(anyPart)} reads`);
  });

  for (const [what, matches] of [
    ['listing', listing],
    ['reading', anyPart],
  ] as readonly (readonly [string, RequestMatcher])[]) {
    it(`by 403 for ${what} for longer than refusalGrace: the delivery fails with a sentence; healed, it loads`, async () => {
      await write();
      store.fail(matches, accessDenied, 1_000);
      await assert.rejects(load(source, 'events', date, {}, past), (error) => {
        assert.ok(error instanceof WorkflowFailedError);
        assert.equal((error.cause as { type?: string }).type, 'AccessDenied');
        return true;
      });
      assert.ok(store.count(matches) >= 2, `${store.count(matches)} requests`);
      const [delivery] = (await source.rows('select finality, reason from landfall.delivery')) as Record<
        string,
        string
      >[];
      assert.equal(delivery?.['finality'], 'failed');
      assert.match(
        delivery?.['reason'] ?? '',
        /^(Listing|Reading) s3:\/\/test-.* was refused: AccessDenied: .* Check the source's credentials .* It was refused for 2 seconds\. The schedule takes the delivery up again /,
      );
      assert.ok(!delivery?.['reason']?.includes(store.secretAccessKey));
      await assertConsistent(source.database.pool);

      store.heal();
      const input = source.input('events', date, past);
      const result = await withWorker(source, (client) =>
        signal(source, client, 'reprocess', 'key mended', input),
      );
      assert.deepEqual([result.finality, result.counts?.loaded], ['final', day.rows]);
      await assertConsistent(source.database.pool);
    });
  }

  describe('in mid-body', () => {
    const patience = { openStore: (config: TestSource['config']) => openStore(config, { idleTimeout: 400 }) };
    beforeEach(() => write({ rows: 12_000, parts: 1 }));

    it('by a cut connection: the download goes on where it was', async () => {
      const cuts = 5;
      const step = Math.floor(day.bytes / (cuts + 2));
      store.fail(anyPart, { kind: 'cut', afterBytes: step }, cuts);
      await loadsAll();
      const begun = offsets();
      assert.equal(begun.length, cuts + 1);
      // A cut connection may take along what was on its way, but each goes on from what the last one brought.
      assert.deepEqual(
        begun,
        [...new Set(begun)].sort((a, b) => a - b),
      );
      assert.ok(begun.at(-1)! > (cuts - 1) * step, `began at ${begun.join(', ')}`);
    });

    it('by silence: the connection is given up, and the download goes on where it was', async () => {
      store.fail(anyPart, { kind: 'stall', afterBytes: 100_000 }, 2);
      await loadsAll(patience);
      assert.deepEqual(offsets(), [0, 100_000, 200_000]);
    });

    it('by slowness: what comes is taken, however long it takes', async () => {
      store.fail(anyPart, { kind: 'trickle', bytes: Math.ceil(day.bytes / 20), pauseMs: 100 });
      await loadsAll(patience);
      assert.deepEqual(offsets(), [0]);
    });

    it('by answering nothing: it is asked again', async () => {
      let release = (): void => undefined;
      const never = new Promise<void>((resolve) => (release = resolve));
      store.fail(anyPart, { kind: 'hold', until: () => never }, 1);
      await loadsAll(patience);
      release();
      assert.deepEqual(offsets(), [0, 0]);
    });
  });
});
