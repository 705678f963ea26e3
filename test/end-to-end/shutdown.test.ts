import assert from 'node:assert/strict';

import { deliver, withWorker } from '../support/delivery.js';
import { eventually } from '../support/eventually.js';
import { faultyS3, getOf, type FaultyS3 } from '../support/faulty-s3.js';
import { assertConsistent } from '../support/landed.js';
import { testSource, type TestSource } from '../support/landfall.js';
import { devServer } from '../support/temporal.js';

const date = '2026-03-01';
const day = { type: 'events', date, rows: 24_000, parts: 4, folders: false } as const;
const one = { batchLimits: { files: 1, bytes: 1e9 } };

describe('a worker that is told to stop', function () {
  this.timeout(60_000);
  let store: FaultyS3;
  let source: TestSource;
  beforeEach(async () => {
    store = await faultyS3();
    source = await testSource({ through: store.endpoint });
    await deliver(source, day);
  });
  afterEach(async () => {
    await source.drop();
    await store.stop();
  });

  const ask = async (sql: string): Promise<boolean> => (await source.rows(sql))[0]?.['yes'] === true;

  /** Stops a worker at an instant of a load, within 5 seconds, and lets a second one do the rest. */
  async function stopWhen(instant: () => Promise<unknown>, then?: () => Promise<unknown>) {
    const { client, nativeConnection } = (await devServer()).environment;
    const delivery = await source.start(client, source.input('events', date, { deadline: 0 }));
    const first = await source.worker(nativeConnection, one);
    const running = first.worker.run();
    await instant();
    const told = Date.now();
    first.worker.shutdown();
    await running;
    await first.close();
    const took = Date.now() - told;
    assert.ok(took < 5_000, `it took ${took} ms`);
    await then?.();
    const resumed = Date.now();
    const result = await withWorker(source, () => delivery.result(), one);
    assert.equal(result.finality, 'final');
    assert.equal(result.counts?.loaded, day.rows);
    assert.ok(Date.now() - resumed < 10_000, 'the second worker had its steps within seconds');
    await assertConsistent(source.database.pool);
  }

  it('while a file is on its way: hands the step back', async () => {
    store.fail(getOf('.parquet'), { kind: 'trickle', bytes: 2_000, pauseMs: 50 }, 2);
    await stopWhen(() => eventually(() => store.count(getOf('.parquet')) > 0, { timeoutMs: 10_000 }));
  });

  it('while rows are being copied: hands the step back', () =>
    stopWhen(() =>
      eventually(
        () => ask('select true as yes from pg_stat_progress_copy where tuples_processed > 0 limit 1'),
        {
          timeoutMs: 10_000,
          everyMs: 1,
        },
      ),
    ));

  it('while the store is being listed: hands the step back', async () => {
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    const listed = ({ query }: { query: URLSearchParams }): boolean =>
      query.get('list-type') === '2' && !query.has('delimiter');
    store.fail(listed, { kind: 'hold', until: () => released });
    await stopWhen(() => eventually(() => store.count(listed) > 0, { timeoutMs: 10_000 }));
    release();
  });

  it('while it publishes, or waits for a report to end: hands the step back', async () => {
    const report = await source.database.pool.connect();
    try {
      await report.query('begin');
      // What publishing needs at its end.
      await report.query('lock table experiments.conversion in share update exclusive mode');
      await stopWhen(
        () =>
          eventually(() => ask('select true as yes from pg_locks where not granted limit 1'), {
            timeoutMs: 10_000,
          }),
        () => report.query('rollback'),
      );
    } finally {
      report.release(true);
    }
  });
});
