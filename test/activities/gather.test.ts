import assert from 'node:assert/strict';

import { createNextDeliveries } from '../../activities/backfill.js';
import { createCountInbox, createGather, type GatherStep } from '../../activities/gather.js';
import { failureTypes } from '../../model/failure.js';
import { openActivities, type OpenActivities } from '../support/activities.js';
import { dynatraceSource, type DynatraceSource } from '../support/dynatrace.js';
import { testSource } from '../support/landfall.js';

describe('the step that gathers', () => {
  let source: DynatraceSource;
  let activities: OpenActivities;
  beforeEach(async () => {
    source = await dynatraceSource({ gatherBytes: '10 B' });
    activities = openActivities(source);
  });
  afterEach(async () => {
    await activities.close();
    await source.drop();
  });

  const gather = (step: Partial<GatherStep> = {}) =>
    activities.run(createGather, { source: source.config.name, known: [], room: 2, ...step });

  it('makes as many deliveries as may be started, and says that there is more', async () => {
    const at = Date.parse('2026-11-20T12:00:00Z');
    const ids: string[] = [];
    for (let count = 0; count < 5; count += 1) ids.push(await source.receive('0123456789', { at }));
    const batches = ids.map((id) => source.batch('2026-11-20', id));

    const first = await gather();
    assert.deepEqual(
      first.starts.map(({ workflowId }) => workflowId),
      batches.slice(0, 2),
    );
    assert.deepEqual(
      { more: first.more, depth: first.depth, failed: first.failed },
      { more: true, depth: { bodies: 5, bytes: 50, oldest: at }, failed: 0 },
    );
    assert.deepEqual([first.gatherBytes, first.gatherWithin], [10, 10_000], 'as the configuration says now');
    assert.equal(first.starts[0]?.workflowType, 'dynatrace');

    const lost = await gather();
    assert.deepEqual(
      lost.starts.map(({ workflowId }) => workflowId),
      batches.slice(0, 2),
      'the same again',
    );
    const next = await gather({ known: batches.slice(0, 2), room: 3 });
    assert.deepEqual(
      next.starts.map(({ workflowId }) => workflowId),
      batches.slice(2),
    );
    assert.equal(next.more, false);
    assert.equal((await gather({ known: batches })).starts.length, 0);
  });

  it('tells how much waits', async () => {
    await source.receive('x');
    const { depth, failed } = await activities.run(createCountInbox, { source: source.config.name });
    assert.deepEqual([depth.bodies, depth.bytes, failed], [1, 1, 0]);
  });

  it('knows no inbox of a source whose files lie in a store', async () => {
    const stored = await testSource();
    const opened = openActivities(stored);
    const step = { source: stored.config.name, known: [], room: 2 };
    await assert.rejects(opened.run(createGather, step), {
      type: failureTypes.configInvalid,
      message: /has no inbox: optimizely's files lie in a store/,
    });
    await opened.close();
    await stored.drop();
  });

  it('is all there is: nothing can be backfilled, and nothing listed', async () => {
    const range = { from: '2026-11-01', to: '2026-11-02', daysDone: 0, days: 2 };
    const step = { source: source.config.name, types: ['sessions'], ...range };
    await assert.rejects(activities.run(createNextDeliveries, step), {
      type: failureTypes.configInvalid,
      message: /has nothing to backfill/,
    });
    const { store } = activities.deps.source(source.config.name);
    await assert.rejects(store.list('')[Symbol.asyncIterator]().next(), { type: failureTypes.configInvalid });
  });
});
