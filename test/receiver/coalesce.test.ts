import assert from 'node:assert/strict';

import { coalesce } from '../../receiver/coalesce.js';
import { eventually } from '../support/eventually.js';

const quick = { every: 1, atMost: 2 };

/** A call that is under way until it is told how it ended. */
function slowCall() {
  const told: number[] = [];
  const ends: ((error?: Error) => void)[] = [];
  return {
    told,
    call: (amount: number) =>
      new Promise<void>((resolve, reject) => {
        told.push(amount);
        ends.push((error) => (error === undefined ? resolve() : reject(error)));
      }),
    end: (error?: Error) => ends.shift()?.(error),
  };
}

describe('coalesced calls', () => {
  it('are one for all that comes while another is under way', async () => {
    const { told, call, end } = slowCall();
    const { add } = coalesce(call, quick);
    const first = add(1);
    await eventually(() => told.length === 1);
    const others = Array.from({ length: 100 }, () => add(2));
    end();
    await first;
    await eventually(() => told.length === 2);
    end();
    await Promise.all(others);
    assert.deepEqual(told, [1, 200]);
  });

  it('come again by themselves after a failure, with what that was to tell and what came since', async () => {
    const { told, call, end } = slowCall();
    const { add } = coalesce(call, quick);
    const failed = assert.rejects(add(1), /away/);
    await eventually(() => told.length === 1);
    const later = add(10);
    end(new Error('away'));
    await failed;
    await eventually(() => told.length === 2);
    const again = assert.rejects(later, /still/);
    end(new Error('still away'));
    await again;
    await eventually(() => told.length === 3);
    end();
    const last = add(100);
    await eventually(() => told.length === 4);
    end();
    await last;
    assert.deepEqual(told, [1, 11, 11, 100]);
  });

  it('come a last time at the end, unless the last one failed', async () => {
    const told: number[] = [];
    const slow = { every: 60_000, atMost: 60_000 };
    const good = coalesce((amount) => Promise.resolve(void told.push(amount)), slow);
    await good.add(1);
    const last = good.add(2);
    await good.close();
    await last;
    assert.deepEqual(told, [1, 2]);

    const bad = coalesce(() => Promise.reject(new Error('away')), slow);
    await assert.rejects(bad.add(1), /away/);
    const untold = assert.rejects(bad.add(2), /closed/);
    await bad.close();
    await untold;
  });
});
