import assert from 'node:assert/strict';

import fc from 'fast-check';

import { createMemory, type Reservation } from '../../receiver/memory.js';

const never = new AbortController().signal;
const patient = { waitFor: 60_000 };

function granted(outcome: Reservation | 'busy' | 'gone'): Reservation {
  assert.ok(typeof outcome === 'object');
  return outcome;
}

describe('memory for bodies', () => {
  it('is given until it is used up, and then in the order of asking', async () => {
    const memory = createMemory({ memory: 100, maxWaiting: 10, ...patient });
    const first = granted(await memory.reserve(60, never));
    const order: string[] = [];
    const large = memory.reserve(80, never).then((got) => (order.push('large'), granted(got)));
    const small = memory.reserve(10, never).then((got) => (order.push('small'), granted(got)));
    assert.deepEqual([memory.held(), memory.waiting()], [60, 2]);
    first.release();
    (await large).release();
    (await small).release();
    assert.deepEqual([order, memory.held(), memory.waiting()], [['large', 'small'], 0, 0]);
  });

  it('is given for one body that is larger than all of it', async () => {
    const memory = createMemory({ memory: 100, maxWaiting: 10, ...patient });
    const first = granted(await memory.reserve(500, never));
    const second = memory.reserve(1, never);
    assert.equal(memory.waiting(), 1);
    first.release();
    granted(await second);
  });

  it('is given to those who wait when a body turns out to be smaller', async () => {
    const memory = createMemory({ memory: 100, maxWaiting: 10, ...patient });
    const first = granted(await memory.reserve(100, never));
    const second = memory.reserve(50, never);
    first.shrink(50);
    granted(await second).release();
    first.shrink(70);
    assert.equal(memory.held(), 50);
    first.release();
    first.release();
    assert.equal(memory.held(), 0);
  });

  it('is refused at once where too many wait, and later where it takes too long', async () => {
    const memory = createMemory({ memory: 100, maxWaiting: 1, waitFor: 5 });
    granted(await memory.reserve(100, never));
    const waiting = memory.reserve(1, never);
    assert.equal(await memory.reserve(1, never), 'busy');
    assert.equal(await waiting, 'busy');
    assert.equal(memory.waiting(), 0);
  });

  it('is not kept for those who go away, and those behind them go on', async () => {
    const memory = createMemory({ memory: 100, maxWaiting: 10, ...patient });
    granted(await memory.reserve(60, never));
    const controller = new AbortController();
    const large = memory.reserve(80, controller.signal);
    const small = memory.reserve(10, never);
    controller.abort();
    assert.equal(await large, 'gone');
    granted(await small);
    assert.equal(await memory.reserve(1, controller.signal), 'gone');
    assert.deepEqual([memory.held(), memory.waiting()], [70, 0]);
  });

  it('is never more than there is, and all there again in the end', async () => {
    const step = fc.oneof(
      fc.record({ ask: fc.integer({ min: 0, max: 100 }) }),
      fc.record({ shrink: fc.nat(50), to: fc.nat(100) }),
      fc.record({ release: fc.nat(50) }),
      fc.record({ leave: fc.nat(50) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 50 }), async (steps) => {
        const memory = createMemory({ memory: 100, maxWaiting: 5, ...patient });
        const got: Reservation[] = [];
        const asked: AbortController[] = [];
        for (const what of steps) {
          if ('ask' in what) {
            const controller = new AbortController();
            asked.push(controller);
            void memory.reserve(what.ask, controller.signal).then((outcome) => {
              if (typeof outcome === 'object') got.push(outcome);
            });
          } else if ('shrink' in what) got[what.shrink]?.shrink(what.to);
          else if ('release' in what) got[what.release]?.release();
          else asked[what.leave]?.abort();
          await Promise.resolve();
          assert.ok(memory.held() >= 0 && memory.held() <= 100);
          assert.ok(memory.waiting() <= 5);
        }
        for (const controller of asked) controller.abort();
        await new Promise((resolve) => setImmediate(resolve));
        for (const reservation of got) reservation.release();
        assert.deepEqual([memory.held(), memory.waiting()], [0, 0]);
      }),
    );
  });
});
