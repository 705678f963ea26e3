import assert from 'node:assert/strict';

import { turns } from '../../activities/turns.js';
import { gate } from '../workflows/fake-landfall.js';

const never = new AbortController().signal;

describe('turns', () => {
  it('lets as many work at the same time as there are places, the others in the order they came', async () => {
    const two = turns(2);
    const gates = [gate(), gate(), gate(), gate()];
    const began: number[] = [];
    const ends = gates.map((entry, number) =>
      two.take(never, async () => {
        began.push(number);
        await entry.passed;
        return number;
      }),
    );
    await new Promise(setImmediate);
    assert.deepEqual(began, [0, 1]);
    gates[1]?.open();
    assert.equal(await ends[1], 1);
    await new Promise(setImmediate);
    assert.deepEqual(began, [0, 1, 2]);
    for (const entry of gates) entry.open();
    assert.deepEqual(await Promise.all(ends), [0, 1, 2, 3]);
  });

  it('gives the place on when the work fails', async () => {
    const one = turns(1);
    await assert.rejects(
      one.take(never, () => Promise.reject(new Error('broken'))),
      /broken/,
    );
    assert.equal(await one.take(never, () => Promise.resolve('next')), 'next');
  });

  it('lets one who is aborted leave the line, without a place being lost', async () => {
    const one = turns(1);
    const first = gate();
    const working = one.take(never, () => first.passed);
    const controller = new AbortController();
    const left = one.take(controller.signal, () => Promise.resolve('worked'));
    const third = one.take(never, () => Promise.resolve('third'));
    controller.abort(new Error('called off'));
    await assert.rejects(left, /called off/);
    first.open();
    await working;
    assert.equal(await third, 'third');
    assert.equal(await one.take(never, () => Promise.resolve('free')), 'free');
  });
});
