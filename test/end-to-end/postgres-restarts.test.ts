import assert from 'node:assert/strict';

import type { WorkflowHandle } from '@temporalio/client';

import type { StopMode } from '../../sandbox/postgres.js';
import type { DeliveryInput, DeliveryResult } from '../../model/control.js';
import { deliver, load, withWorker } from '../support/delivery.js';
import { eventually } from '../support/eventually.js';
import { faultyS3, getOf, type FaultyS3 } from '../support/faulty-s3.js';
import { assertConsistent, landed, type Landed } from '../support/landed.js';
import { testSource, type TestSource } from '../support/landfall.js';
import { ownDatabase, type OwnDatabase } from '../support/own-postgres.js';

const date = '2026-03-01';
const past = { deadline: 0 };
const flaws = { nulCharacter: 9, outOfRange: 6, duplicatesAcross: 20 };
const day = { type: 'events', date, rows: 40_000, parts: 8, folders: false, flaws } as const;
const manySteps = { batchLimits: { files: 2, bytes: 1e9 } };

describe('Postgres restarted while a delivery is loaded', function () {
  this.timeout(90_000);
  let undisturbed: Landed;
  let database: OwnDatabase;
  let store: FaultyS3;
  let source: TestSource;
  let lastPart: string;

  before(async () => {
    const calm = await testSource();
    await deliver(calm, day);
    await load(calm, 'events', date, manySteps, past);
    undisturbed = await landed(calm.database.pool);
    await calm.drop();
  });
  beforeEach(async () => {
    // What is committed without waiting for the disk, as staged rows are, gets there late: a crash takes it back.
    database = await ownDatabase({ wal_writer_delay: '10s' });
    store = await faultyS3();
    source = await testSource({ database, through: store.endpoint });
    lastPart = (await deliver(source, day)).parts.at(-1)!.key;
  });
  afterEach(async () => {
    await source.drop();
    await store.stop();
  });

  /** Loads the day, lets the test act on it meanwhile, and holds what came of it against an undisturbed load. */
  const loadWith = async (
    act: (delivery: WorkflowHandle<(input: DeliveryInput) => Promise<DeliveryResult>>) => Promise<void>,
  ): Promise<void> => {
    const result = await withWorker(
      source,
      async (client) => {
        const delivery = await source.start(client, source.input('events', date, past));
        await act(delivery);
        return delivery.result();
      },
      manySteps,
    );
    assert.equal(result.finality, 'final');
    assert.deepEqual(await landed(database.pool), undisturbed);
    await assertConsistent(database.pool);
  };

  const ask = async (sql: string): Promise<boolean> => (await source.rows(sql))[0]?.['yes'] === true;

  for (const mode of ['fast', 'immediate'] as readonly StopMode[]) {
    describe(mode === 'fast' ? 'in good order' : 'by a crash', () => {
      const outcome = mode === 'fast' ? 'what was staged is published' : 'what it lost is staged again';
      it(`between stage and publish: ${outcome}`, async () => {
        await loadWith(async (delivery) => {
          // Paused before the last part arrives, so that it stays before publishing.
          let release = (): void => undefined;
          const released = new Promise<void>((resolve) => (release = resolve));
          store.fail(getOf(lastPart), { kind: 'hold', until: () => released });
          await eventually(() => store.count(getOf(lastPart)) > 0, { timeoutMs: 20_000 });
          await delivery.signal('pause', { reason: 'Postgres is restarted' });
          await eventually(() => ask('select paused as yes from landfall.delivery'));
          release();
          await eventually(
            () => ask('select bool_and(staged_at is not null) as yes from landfall.load_file'),
            {
              timeoutMs: 20_000,
            },
          );
          await database.server.restart(mode);
          await delivery.signal('resume', { reason: 'it is back' });
        });
        assert.equal(store.count(getOf(lastPart)), mode === 'fast' ? 1 : 2);
      });

      it('while rows are being copied: the file is staged once', () =>
        loadWith(async () => {
          await eventually(
            () => ask(`select true as yes from pg_stat_progress_copy where tuples_processed > 0 limit 1`),
            { timeoutMs: 20_000, everyMs: 1 },
          );
          await database.server.restart(mode);
        }));
    });
  }

  it('and down meanwhile: steps are tried again until it is back', () =>
    loadWith(async (delivery) => {
      await eventually(
        () => ask('select true as yes from landfall.load_file where staged_at is not null limit 1'),
        {
          timeoutMs: 20_000,
          everyMs: 2,
        },
      );
      await database.server.stop();
      await eventually(
        async () =>
          (await delivery.describe()).raw.pendingActivities?.some(({ attempt }) => (attempt ?? 0) > 2),
        { timeoutMs: 20_000 },
      );
      await database.server.restart();
    }));
});
