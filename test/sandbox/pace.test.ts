import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';

import { pace } from '../../sandbox/pace.js';

/** A clock whose sleepers wake when the test says so, which may be long after their time. */
function lateClock() {
  const asleep: (() => void)[] = [];
  let now = 0;
  return {
    clock: { now: () => now, sleep: () => new Promise<void>((wake) => asleep.push(wake)) },
    pass: (ms: number) => void (now += ms),
    wake: () => asleep.splice(0).forEach((wake) => wake()),
  };
}

async function isSettled(promise: Promise<void>): Promise<boolean> {
  let settled = false;
  void promise.then(() => (settled = true));
  await setImmediate();
  return settled;
}

describe('the pace of a vendor', () => {
  const { signal } = new AbortController();

  it('lets nobody look between the instant of a write and the write, however late that is', async () => {
    const { clock, pass, wake } = lateClock();
    const { clock: paced, caughtUp } = pace(clock);
    const slept = paced.sleep(10, signal);
    assert.equal(await isSettled(caughtUp()), true, 'nothing is due');
    pass(30);
    const looked = caughtUp();
    assert.equal(await isSettled(looked), false, 'its time has come');
    wake();
    await slept;
    assert.equal(await isSettled(looked), false, 'it is being written');
    const next = paced.sleep(10, signal);
    assert.equal(await isSettled(looked), true);
    wake();
    await next;
  });

  it('owes nothing while it waits for others, nor at its end', async () => {
    const { clock } = lateClock();
    const { held, caughtUp, finish } = pace(clock);
    assert.equal(await isSettled(caughtUp()), false, 'it has just begun');
    const { release, released } = held(signal);
    assert.equal(await isSettled(caughtUp()), true);
    release();
    const looked = caughtUp();
    await released;
    assert.equal(await isSettled(looked), false);
    finish();
    assert.equal(await isSettled(looked), true);
    release();
    assert.equal(await isSettled(caughtUp()), true, 'a second release changes nothing');
  });

  it('waits for others no longer than the signal', async () => {
    const { clock } = lateClock();
    const stopped = new AbortController();
    const { released } = pace(clock).held(stopped.signal);
    stopped.abort(new Error('it ends'));
    await assert.rejects(released, /^Error: it ends$/);
  });
});
