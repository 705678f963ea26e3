import assert from 'node:assert/strict';

import type { Client } from '@temporalio/client';
import { Worker } from '@temporalio/worker';

import { deliveryStart } from '../../config/delivery-start.js';
import { nameDay } from '../../config/name-delivery.js';
import { backfillId, type BackfillStatus, type DeliveryInput } from '../../model/control.js';
import { addDays } from '../../model/day.js';
import { eventually } from '../support/eventually.js';
import { sourceOf, workflowBundle } from '../support/landfall.js';
import type { TestDatabase } from '../support/postgres.js';
import type { DevServer } from '../support/temporal.js';
import { terminateAll } from '../workflows/observe.js';
import { yamlOf, type Desk } from './landfall-command.js';
import { writeSource } from './ledger.js';
import { openTemporalDesk } from './temporal-desk.js';

const source = `stop-${process.pid}`;

describe('landfall backfill --stop', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  let server: DevServer;
  let client: Client;
  let desk: Desk;

  before(async () => {
    ({ database, server, client, desk } = await openTemporalDesk(source));
    await writeSource(database.pool, source);
  });
  after(async () => {
    await terminateAll(client, source);
    await desk.leave();
    await database.drop();
  });

  const range = (from: string, to: string): string[] => ['--from', from, '--to', to, '--type', 'events'];
  const idOf = (from: string, to: string): string => backfillId(source, from, to, ['events']);
  const day = (date: string): string => `${source}/events/${date}`;

  /** Lets days run that wait for their marker, and backfills that wait for them. */
  const withBackfills = async (work: () => Promise<void>): Promise<void> => {
    const config = sourceOf(yamlOf(source, ''));
    const worker = await Worker.create({
      connection: server.environment.nativeConnection,
      taskQueue: source,
      workflowBundle: await workflowBundle(),
      activities: {
        nextDeliveries: ({ to, daysDone, days }: { to: string; daysDone: number; days: number }) =>
          Promise.resolve(
            Array.from({ length: days }, (_, index) => {
              const delivery = nameDay(config, 'events', addDays(to, -(daysDone + index)));
              const start = deliveryStart(config, delivery, Date.now());
              const deadline = Date.now() + 3_600_000;
              return {
                day: daysDone + index,
                id: delivery.id,
                start: { ...start, input: { ...start.input, deadline } },
              };
            }),
          ),
        openDelivery: ({ id }: DeliveryInput) =>
          Promise.resolve({ id, finality: 'waiting', published: false, byRule: false }),
        record: ({ id }: { id: string }) =>
          Promise.resolve({ id, finality: 'waiting', published: false, byRule: false }),
        look: () => Promise.resolve({ awaited: '_SUCCESS' }),
      },
    });
    await worker.runUntil(work);
  };

  const begin = async (from: string, to: string): Promise<void> => {
    const { code, err } = await desk.landfall('backfill', source, ...range(from, to), '--max-in-flight', '2');
    assert.equal(code, 0, err);
    const inFlight = async (): Promise<boolean> =>
      (await client.workflow.getHandle(idOf(from, to)).query<BackfillStatus>('status')).inFlight.length === 2;
    await eventually(inFlight, { timeoutMs: 20_000 });
  };
  const stop = (...more: string[]) => desk.landfall('backfill', source, '--stop', ...more, '-o', 'json');
  const running = async (id: string): Promise<boolean> =>
    (await client.workflow.getHandle(id).describe()).status.name === 'RUNNING';

  it('ends the one of a range, or all of the source, says what it stopped, and leaves days in flight', () =>
    withBackfills(async () => {
      await begin('2020-06-01', '2020-06-09');
      await begin('2020-07-01', '2020-07-09');
      const one = await stop(...range('2020-06-01', '2020-06-09'), '--reason', 'too early');
      assert.equal(one.code, 0, one.err);
      const stopped = JSON.parse(one.out) as Record<string, unknown>[];
      assert.deepEqual(
        stopped.map(({ workflowId, reason, days, started, inFlight }) => ({
          ...{ workflowId, reason, days, started, inFlight },
        })),
        [
          {
            workflowId: idOf('2020-06-01', '2020-06-09'),
            ...{ reason: 'too early', days: 9, started: 2, inFlight: [day('2020-06-09'), day('2020-06-08')] },
          },
        ],
      );
      assert.equal(await running(idOf('2020-07-01', '2020-07-09')), true);

      await eventually(async () => (await stop('--reason', 'all of them')).code === 0, { timeoutMs: 10_000 });
      const other = client.workflow.getHandle(idOf('2020-07-01', '2020-07-09'));
      assert.equal(((await other.result()) as BackfillStatus).stopped, 'all of them');
      for (const date of ['2020-06-09', '2020-06-08', '2020-07-09', '2020-07-08']) {
        assert.equal(await running(day(date)), true, date);
      }
      await assert.rejects(client.workflow.getHandle(day('2020-06-01')).describe(), /not found/);
    }));

  it('says so when none runs, and what is missing', async () => {
    const none = await stop('--reason', 'none is there', ...range('2020-01-01', '2020-01-02'));
    assert.deepEqual([none.code, none.err.includes(`No such backfill of ${source} is running`)], [1, true]);
    for (const [args, message] of [
      [['--stop'], '--stop needs --reason'],
      [['--stop', '--reason', ' '], '--reason is empty'],
      [['--stop', '--reason', 'x', '--from', '2020-01-01'], '--to is missing'],
      [['--from', '2020-01-01'], '--to is missing'],
      [['--from', '2020-01-01', '--to', '2020-01-02', '--reason', 'x'], '--reason belongs to --stop'],
    ] as const) {
      const { code, err } = await desk.landfall('backfill', source, ...args);
      assert.equal(code, 2, err);
      assert.ok(err.includes(message), err);
    }
  });
});
