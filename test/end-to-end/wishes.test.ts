import assert from 'node:assert/strict';

import type { Client, WorkflowHandle } from '@temporalio/client';

import type { DeliveryInput, DeliveryResult, DeliverySignal } from '../../model/control.js';
import { deliver, load, withWorker } from '../support/delivery.js';
import { eventually } from '../support/eventually.js';
import { assertConsistent } from '../support/landed.js';
import { testSource, type TestSource } from '../support/landfall.js';
import { ownDatabase, type OwnDatabase } from '../support/own-postgres.js';

const date = '2026-03-01';
const day = { type: 'events', date, rows: 400, parts: 2, folders: false } as const;
const anew = { ...day, rows: 500, seed: 'anew' } as const;
type Delivery = WorkflowHandle<(input: DeliveryInput) => Promise<DeliveryResult>>;

/** What a session does with the table. Publishing waits 0.8 s for readers, and for what changes the table far longer. */
type Use = 'reads it' | 'changes it';

/** A session that uses the table, and ends when it is told to or loses its connection. */
interface User {
  readonly end: () => Promise<void>;
}

describe('what a person asks for while a day is published again', function () {
  this.timeout(90_000);
  let database: OwnDatabase;
  let source: TestSource;

  beforeEach(async () => {
    database = await ownDatabase();
    // Publishing waits for other changes of the table for as long as Postgres needs to break a deadlock, and two seconds.
    await database.pool.query(`alter system set deadlock_timeout = '30s'`);
    await database.pool.query('select pg_reload_conf()');
    source = await testSource({ database });
    await deliver(source, day);
    await load(source, 'events', date, {}, { deadline: 0 });
    await deliver(source, anew);
  });
  afterEach(() => source.drop());

  const useTable = async (use: Use): Promise<User> => {
    const client = await database.pool.connect();
    client.on('error', () => undefined);
    await client.query('begin');
    await client.query(
      use === 'reads it'
        ? 'select count(*) from experiments.conversion'
        : 'lock table only experiments.conversion in share update exclusive mode',
    );
    return {
      end: async () => {
        await client.query('rollback').catch(() => undefined);
        client.release(true);
      },
    };
  };

  /** The session of Landfall that waits for the table; undefined while none does. */
  const waiting = async (): Promise<number | undefined> =>
    (
      await database.pool.query<{ pid: number }>(
        `select pid from pg_stat_activity where wait_event_type = 'Lock' and query like 'lock table only%'`,
      )
    ).rows[0]?.pid;
  const asked = async (): Promise<Record<string, unknown> | undefined> =>
    (await source.rows('select wish, wish_reason, wished_at from landfall.delivery'))[0];

  /** Publishing waits for another session; a signal comes; then something happens to the connection, or to the patience of it. */
  const whileItWaits = async (
    signal: DeliverySignal,
    then: 'its patience ends' | 'Postgres restarts' | 'its connection is ended',
  ): Promise<DeliveryResult> => {
    const user = await useTable(then === 'its patience ends' ? 'reads it' : 'changes it');
    try {
      return await withWorker(source, async (client: Client) => {
        // A cancellation reaches a step with its next heartbeat: here it certainly comes later than the fault.
        const input = source.input('events', date, { deadline: 0, heartbeatTimeout: 60_000 });
        const delivery = (await client.workflow.signalWithStart('optimizely', {
          workflowId: input.id,
          taskQueue: source.taskQueue,
          args: [input],
          signal: 'reprocess',
          signalArgs: [{ reason: 'the vendor wrote it anew' }],
          workflowExecutionTimeout: '30 days',
        })) as Delivery;
        const pid = await eventually(waiting, { timeoutMs: 20_000, what: 'publishing to wait' });
        const reason = 'a request by law';
        await delivery.signal(signal, { reason });
        if (then === 'its patience ends') {
          const isWritten = async (): Promise<boolean> => (await asked())?.['wish_reason'] === reason;
          await eventually(isWritten, { timeoutMs: 20_000, what: 'the ledger to say what is asked for' });
          assert.equal((await asked())?.['wish'], signal);
        } else {
          assert.equal(await waiting(), pid, 'it still waits');
        }
        if (then === 'Postgres restarts') await database.server.restart('fast');
        if (then === 'its connection is ended') {
          await database.pool.query('select pg_terminate_backend($1)', [pid]);
        }
        await eventually(async () => (await waiting()) !== pid, { timeoutMs: 20_000 });
        await user.end();
        return delivery.result();
      });
    } finally {
      await user.end().catch(() => undefined);
    }
  };

  const ends = {
    discard: { finality: 'discarded', rows: 0 },
    reprocess: { finality: 'final', rows: anew.rows },
    skip: { finality: 'final', rows: day.rows },
  } as const;
  for (const then of ['its patience ends', 'Postgres restarts', 'its connection is ended'] as const) {
    for (const [signal, { finality, rows }] of Object.entries(ends)) {
      it(`${signal} is carried out when it waits for the table and ${then}`, async () => {
        const result = await whileItWaits(signal as DeliverySignal, then);
        assert.equal(result.finality, finality);
        assert.deepEqual(await source.rows('select finality, wish from landfall.delivery'), [
          { finality, wish: null },
        ]);
        assert.deepEqual(await source.rows('select count(*)::int as n from experiments.conversion'), [
          { n: rows },
        ]);
        await assertConsistent(database.pool);
      });
    }
  }
});
