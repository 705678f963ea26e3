import assert from 'node:assert/strict';

import type { Client } from '@temporalio/client';
import { Worker } from '@temporalio/worker';

import { searchAttributes } from '../../model/control.js';
import type { TestDatabase } from '../support/postgres.js';
import type { DevServer } from '../support/temporal.js';
import type { Desk } from './landfall-command.js';
import { writeDelivery, writeSource } from './ledger.js';
import { openTemporalDesk } from './temporal-desk.js';

/** Everything these tests leave on the server, which all tests share, bears this name. */
const source = `client-${process.pid}`;
const day = '2020-05-25';

describe('commands that ask for deliveries', () => {
  let database: TestDatabase;
  let server: DevServer;
  let client: Client;
  let desk: Desk;

  before(async function () {
    this.timeout(120_000);
    ({ database, server, client, desk } = await openTemporalDesk(source));
    await writeSource(database.pool, source);
  });

  after(async () => {
    await desk.leave();
    await database.drop();
  });

  describe('signals', () => {
    const unknown = `${source}/events/2020-01-01`;

    for (const signal of ['accept', 'skip', 'discard', 'pause', 'resume']) {
      it(`${signal} says so when nobody knows the delivery`, async () => {
        assert.deepEqual(await desk.landfall(signal, unknown, '--reason', 'x', '-o', 'json'), {
          code: 1,
          out: '',
          err:
            `Neither the ledger nor Temporal knows the delivery ${unknown}, so there is nothing to ${signal}. To load ` +
            `it, use 'landfall backfill ${source} --from 2020-01-01 --to 2020-01-01 --type events'.\n`,
        });
      });
    }

    it('reprocess starts a delivery that nobody knows, as the schedule would have', async () => {
      const id = `${source}/events/${day}`;
      const { code, out, err } = await desk.landfall(
        'reprocess',
        id,
        '--reason',
        'first of all',
        '-o',
        'json',
      );
      assert.equal(code, 0);
      assert.match(err, new RegExp(`^No worker is running on task queue '${source}'`));
      const sent = JSON.parse(out) as { started: boolean; runId: string; webUi: string };
      assert.equal(sent.started, true);
      assert.equal(
        sent.webUi,
        `${server.uiUrl}/namespaces/default/workflows/${encodeURIComponent(id)}/${sent.runId}/history`,
      );
      const described = await client.workflow.getHandle(id).describe();
      assert.equal(described.type, 'optimizely');
      assert.equal(described.taskQueue, source);
      const attributes = new Map(
        described.typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value]),
      );
      assert.equal(attributes.get(searchAttributes.source), source);
      assert.equal(attributes.get(searchAttributes.vendor), 'optimizely');
      assert.deepEqual(attributes.get(searchAttributes.date), new Date(`${day}T00:00:00Z`));
      assert.equal(await described.staticSummary(), `${source}: events of ${day}`);
    });

    it('goes to the workflow that runs', async () => {
      const id = `${source}/events/${day}`;
      for (const signal of ['reprocess', 'pause']) {
        const { code, out } = await desk.landfall(signal, id, '--reason', 'again', '-o', 'json');
        assert.equal(code, 0);
        assert.equal((JSON.parse(out) as { started: boolean }).started, false);
      }
      const history = await client.workflow.getHandle(id).fetchHistory();
      const signals = history.events?.flatMap(
        (event) => event.workflowExecutionSignaledEventAttributes?.signalName ?? [],
      );
      assert.deepEqual(signals, ['reprocess', 'reprocess', 'pause']);
      await client.workflow.getHandle(id).terminate('The test is over.');
    });

    it('pause says how a delivery stands whose workflow has ended', async () => {
      const id = await writeDelivery(database.pool, {
        source,
        type: 'decisions',
        date: day,
        finality: 'final',
        reason: 'Complete.',
      });
      const { code, err } = await desk.landfall('pause', id, '--reason', 'x');
      assert.equal(code, 1);
      assert.equal(
        err,
        `The workflow of delivery ${id} is not running, so there is nothing to pause. It is final in the ledger. ` +
          "'landfall reprocess' starts it again.\n",
      );
    });

    it('discard starts the workflow of a delivery that has ended', async () => {
      const id = `${source}/decisions/${day}`;
      const { code, out } = await desk.landfall('discard', id, '--reason', 'test traffic');
      assert.equal(code, 0);
      assert.match(
        out,
        new RegExp(`^Sent 'discard' to ${id}: its workflow was started for it\\. Reason: test traffic`),
      );
      assert.match(out, new RegExp(`To watch it: landfall show ${id}`));
      await client.workflow.getHandle(id).terminate('The test is over.');
    });
  });

  describe('backfill', () => {
    const range = ['backfill', source, '--from', '2020-06-01', '--to', '2020-06-02'];

    it('prints its id and its page; started again it joins the one that runs', async () => {
      const workflowId = `${source}/backfill/2020-06-01..2020-06-02/decisions+events`;
      const first = await desk.landfall(...range, '-o', 'json');
      assert.equal(first.code, 0);
      const begun = JSON.parse(first.out) as { workflowId: string; started: boolean; webUi: string };
      assert.deepEqual([begun.workflowId, begun.started], [workflowId, true]);
      assert.match(begun.webUi, /\/workflows\/client-.*%2Fbackfill%2F.*\/history$/);
      const second = await desk.landfall(...range);
      assert.match(second.out, new RegExp(`^Joined the running backfill ${source}/backfill/`));
      const described = await client.workflow.getHandle(workflowId).describe();
      assert.equal(described.taskQueue, source);
      assert.equal(
        await described.staticSummary(),
        `${source}: backfill of decisions and events, 2020-06-01 to 2020-06-02`,
      );
    });

    it('--wait ends with exit code 1 when a delivery failed, and says why it did', async () => {
      await writeDelivery(database.pool, {
        source,
        type: 'decisions',
        date: '2020-06-02',
        finality: 'failed',
        reason: '_SUCCESS did not come.',
      });
      const worker = await Worker.create({
        connection: server.environment.nativeConnection,
        taskQueue: source,
        workflowsPath: new URL('fake-workflows.ts', import.meta.url).pathname,
      });
      const failed = `${source}/decisions/2020-06-02`;
      await worker.runUntil(async () => {
        const text = await desk.landfall(...range, '--wait');
        assert.equal(text.code, 1);
        assert.equal(
          text.out,
          'Of 4 deliveries 3 were started and 1 left alone. Came to rest: 2 final, 1 failed.\n' +
            `  ${failed} failed: _SUCCESS did not come.\n`,
        );
        assert.match(text.err, /Ctrl-C stops the watching, not the backfill\./);
        const json = await desk.landfall(...range, '--wait', '-o', 'json');
        const result = JSON.parse(json.out) as { failed: object[]; done: boolean };
        assert.deepEqual(result.failed, [{ delivery: failed, reason: '_SUCCESS did not come.' }]);
        assert.equal(result.done, true);
      });
    }).timeout(60_000);
  });
});
