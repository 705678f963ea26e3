import assert from 'node:assert/strict';

import { defaultPayloadConverter } from '@temporalio/common';
import { pino } from 'pino';

import { inboxId } from '../../model/inbox.js';
import { openNudge } from '../../receiver/nudge.js';
import { freePort } from '../../sandbox/ports.js';
import { eventually } from '../support/eventually.js';
import { devServer } from '../support/temporal.js';
import { sendingSource } from './receiving.js';

describe("the nudge to a source's workflow", function () {
  this.timeout(30_000);
  const log: { level: number; msg: string }[] = [];
  const logger = pino({}, { write: (line: string) => void log.push(JSON.parse(line) as never) });
  beforeEach(() => void (log.length = 0));

  it('starts it or tells the one that runs, once for many bodies', async () => {
    const { address, namespace, environment } = await devServer();
    const { source } = sendingSource(`nudged-${process.pid}`);
    const { nudge, close } = openNudge({
      temporal: { connectionOptions: { address }, namespace },
      ...{ taskQueue: source.name, sources: [source], log: logger, pace: { every: 50, atMost: 50 } },
    });
    await nudge(source.name, 1);
    await Promise.all(Array.from({ length: 50 }, () => nudge(source.name, 10)));
    await close();

    const handle = environment.client.workflow.getHandle(inboxId(source.name));
    const { type, taskQueue, typedSearchAttributes, staticSummary } = await handle.describe();
    assert.deepEqual([type, taskQueue], ['inbox', source.name]);
    assert.equal(await staticSummary(), `${source.name}: gather what dynatrace sends`);
    assert.deepEqual(
      Object.fromEntries(typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value])),
      { LandfallSource: source.name, LandfallVendor: 'dynatrace' },
    );
    const { events } = await handle.fetchHistory();
    const payloads = (events ?? []).map(
      ({
        workflowExecutionStartedEventAttributes: started,
        workflowExecutionSignaledEventAttributes: signaled,
      }) => ({
        started: started?.input?.payloads?.[0],
        signaled: signaled?.input?.payloads?.[0],
      }),
    );
    const inputs = payloads
      .flatMap((payload) => payload.started ?? [])
      .map((at) => defaultPayloadConverter.fromPayload(at));
    assert.deepEqual(inputs, [
      { source: source.name, vendor: 'dynatrace', gatherBytes: 32_000_000, gatherWithin: 10_000 },
    ]);
    const signals = payloads
      .flatMap((payload) => payload.signaled ?? [])
      .map((at) => defaultPayloadConverter.fromPayload(at));
    assert.deepEqual(signals, [{ bytes: 1 }, { bytes: 500 }]);
    await handle.terminate();
  });

  it('fails while Temporal is away, says so once, and goes on trying', async () => {
    const { source } = sendingSource(`untold-${process.pid}`);
    const { nudge, close } = openNudge({
      temporal: { connectionOptions: { address: `127.0.0.1:${await freePort()}` }, namespace: 'default' },
      ...{
        taskQueue: source.name,
        sources: [source],
        log: logger,
        pace: { every: 5, atMost: 5 },
        deadline: 100,
      },
    });
    await assert.rejects(nudge(source.name, 1));
    await assert.rejects(nudge(source.name, 1));
    await eventually(() => log.length === 1);
    await close();
    assert.deepEqual(
      log.map(({ level, msg }) => [level, msg]),
      [[40, 'Temporal was not told of bodies: they wait in the inbox.']],
    );
  });
});
