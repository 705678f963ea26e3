import assert from 'node:assert/strict';

import { tellTroubles } from '../../client/tell-troubles.js';
import { secret } from '../../config/secret.js';
import type { Place } from '../../client/place.js';
import { endTrouble, noteTrouble, countAttempt, type TroubledStep } from '../../warehouse/trouble.js';
import { eventually } from '../support/eventually.js';
import { testDatabase, type TestDatabase } from '../support/postgres.js';
import { openDesk, yamlOf, type Desk } from './landfall-command.js';
import { writeDelivery, writeSource } from './ledger.js';

describe('steps that are tried again, as commands tell of them', () => {
  let database: TestDatabase;
  let desk: Desk;
  before(async function () {
    this.timeout(60_000);
    database = await testDatabase();
    desk = await openDesk(yamlOf('experiments', 'postgres: { url: "${URL}" }'), { URL: database.url });
    await writeSource(database.pool, 'experiments');
  });
  after(async () => {
    await desk.leave();
    await database.drop();
  });

  const fail = async (step: TroubledStep, reason: string): Promise<void> => {
    await countAttempt(database.pool, step, { kind: 'passing', attempts: 1, reason });
    await noteTrouble(database.pool, step, reason, Date.now());
  };
  const of = (workflowId: string, name: string, deliveryId?: string): TroubledStep => ({
    ...{ workflowId, name, deliveryId, source: 'experiments', activityId: '1', runId: '1' },
  });
  const error = (attempt: number): string =>
    `Listing s3://b/ failed: 500. Attempt ${attempt} of step 'look'; it is tried again at 2026-11-20 14:30:00 UTC.`;

  it('stand in for the reason of a delivery without rows, and beside it where there are some', async () => {
    const waiting = await writeDelivery(database.pool, {
      ...{ source: 'experiments', type: 'events', date: '2026-03-01' },
      ...{ finality: 'waiting', reason: '_SUCCESS is awaited.' },
    });
    const final = await writeDelivery(database.pool, {
      ...{ source: 'experiments', type: 'events', date: '2026-03-02' },
      ...{ finality: 'final', reason: 'Complete.', published: true },
    });
    for (const id of [waiting, final]) await fail(of(id, 'look', id), error(3));
    const { out, err } = await desk.landfall('status', '-o', 'json');
    assert.equal(err, '');
    const told = (JSON.parse(out) as { delivery: string; reason: string; trouble: string }[]).map(
      ({ delivery, reason, trouble }) => [delivery, reason, trouble],
    );
    assert.deepEqual(told, [
      [final, 'Complete.', error(3)],
      [waiting, error(3), error(3)],
    ]);
    const table = (await desk.landfall('status')).out;
    assert.match(
      table,
      /waiting .* Listing s3:\/\/b\/ failed: 500\. Attempt 3 of step 'look'; it is tried again at \S+ \S+ UTC\.$/m,
    );
    assert.match(table, /final .* Listing .* UTC\. Complete\.$/m);
    const shown = (await desk.landfall('show', final)).out;
    assert.match(shown, /^ {2}Trouble +Listing .* Attempt 3/m);
    assert.match(shown, /^ {2}Reason +Complete\.$/m);
    assert.doesNotMatch((await desk.landfall('show', waiting)).out, /Trouble/);
    for (const id of [waiting, final]) await endTrouble(database.pool, of(id, 'look', id), 'workflow');
    assert.doesNotMatch((await desk.landfall('status')).out, /Attempt/);
  });

  it('of no delivery are told by status on stderr', async () => {
    const step = of('experiments/discover', 'discover');
    await fail(step, 'Listing s3://b/ failed: 500.');
    const { code, err } = await desk.landfall('status', '-o', 'json');
    assert.deepEqual([code, err], [0, 'experiments/discover: Listing s3://b/ failed: 500.\n']);
    assert.match((await desk.landfall('status', 'experiments')).err, /^experiments\/discover: /);
    await endTrouble(database.pool, step, 'kind');
    assert.equal((await desk.landfall('status')).err, '');
  });

  it('are told to somebody who waits: each error once, and not each attempt', async () => {
    const lines: string[] = [];
    const end = new AbortController();
    const place = { postgresUrl: () => secret(database.url) } as Place;
    const workflows = ['experiments/backfill/a', 'experiments/events/2026-03-01'];
    const telling = tellTroubles(
      place,
      () => workflows,
      (line) => void lines.push(line),
      end.signal,
      50,
    );
    try {
      const [backfill, day] = [of(workflows[0]!, 'nextDeliveries'), of(workflows[1]!, 'look', workflows[1])];
      await fail(backfill, error(1));
      await eventually(() => lines.length === 1);
      await fail(backfill, error(2));
      await fail(day, error(1));
      await fail(of('experiments/events/2026-03-09', 'look', 'experiments/events/2026-03-09'), error(1));
      await eventually(() => lines.length === 2);
      await fail(day, error(2).replace('500', '503'));
      await eventually(() => lines.length === 3);
      assert.deepEqual(lines, [
        `${workflows[0]}: ${error(1)}`,
        `${workflows[1]}: ${error(1)}`,
        `${workflows[1]}: ${error(2).replace('500', '503')}`,
      ]);
    } finally {
      end.abort();
      await telling;
    }
  });
});
