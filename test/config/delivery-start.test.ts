import assert from 'node:assert/strict';

import { deliveryStart } from '../../config/delivery-start.js';
import { findSource } from '../../config/find-source.js';
import { parseConfig } from '../../config/load.js';
import { example, exampleEnv } from './example.js';

const { sources } = parseConfig({ text: example, name: 'landfall.yaml', path: '/l.yaml', env: exampleEnv });

describe('the start of a delivery', () => {
  const source = findSource(sources, 'experiments');
  const now = Date.parse('2026-11-21T06:00:00Z');

  it('has the business name as workflow id and the vendor as workflow type', () => {
    const start = deliveryStart(source, 'events', '2026-11-20', now);
    assert.equal(start.workflowId, 'experiments/events/2026-11-20');
    assert.equal(start.workflowType, 'optimizely');
    assert.equal(start.staticSummary, 'experiments: events of 2026-11-20');
  });

  it('waits until giveUpAfter past the end of the UTC day', () => {
    const { input, staticDetails } = deliveryStart(source, 'events', '2026-11-20', now);
    assert.equal(new Date(input.deadline).toISOString(), '2026-11-24T00:00:00.000Z');
    assert.match(staticDetails, /awaited until 2026-11-24 00:00 UTC, 3 days after the end of the day/);
  });

  it('of an old day has a deadline in the past', () => {
    const { input, staticDetails } = deliveryStart(source, 'events', '2020-05-25', now);
    assert.equal(new Date(input.deadline).toISOString(), '2020-05-29T00:00:00.000Z');
    assert.match(staticDetails, /waiting for that ended at 2020-05-29 00:00 UTC/);
  });

  it('holds no secret: it travels through histories', () => {
    const text = JSON.stringify(deliveryStart(source, 'events', '2026-11-20', now));
    for (const value of Object.values(exampleEnv)) assert(!text.includes(value));
    assert(!text.includes('[secret]'));
  });

  it('needs a source of the configuration', () => {
    assert.throws(() => findSource(sources, 'experiment'), {
      message:
        "The configuration has no source 'experiment'; did you mean 'experiments'? It has experiments.",
    });
    assert.throws(() => findSource([], 'x'), {
      message: "The configuration has no source 'x'. It has none.",
    });
  });
});
