import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';

import { startOfDay } from '../../../model/day.js';
import { planWrites, type VendorDay } from '../../../sandbox/megaphone/schedule.js';
import { startMegaphone } from '../../../sandbox/megaphone/vendor.js';
import type { Clock, Put } from '../../../sandbox/megaphone/writes.js';
import { eventually } from '../../support/eventually.js';
import { inTemporaryDirectory, withEnvironment } from '../../support/isolated.js';
import { linesOf } from './lines.js';

const first: VendorDay = { date: '2026-03-01', rows: 480 };
const second: VendorDay = { date: '2026-03-02', rows: 480 };
const midnight = startOfDay(second.date);
const hour = 3_600_000;

/** A clock that is always there as soon as somebody sleeps. */
function eagerClock(): Clock & { readonly slept: number[] } {
  let now = 1_000;
  const slept: number[] = [];
  return {
    slept,
    now: () => now,
    sleep: async (ms) => {
      slept.push(ms);
      now += ms;
      await Promise.resolve();
    },
  };
}

/** Puts that never end but by the signal. */
const forEver: Put = (_key, _path, signal) => setTimeout(2 ** 31 - 1, undefined, { signal });

const told = (writes: readonly { at: number; key: string; version: number }[]): string[] =>
  writes.map(({ at, key, version }) => `${new Date(at).toISOString().slice(5, 16)} ${key} ${version}`);

describe('when Megaphone writes', () => {
  it('every hour the current day, and until 04:30Z the previous one too, which then is final', () => {
    const aroundMidnight = planWrites([second, first]).filter(
      ({ at }) => at > midnight - 2 * hour && at < midnight + 7 * hour,
    );
    assert.deepEqual(told(aroundMidnight), [
      '03-01T22:16 metrics-day-2026-03-01.json.gz 22',
      '03-01T23:16 metrics-day-2026-03-01.json.gz 23',
      '03-02T00:16 metrics-day-2026-03-01.json.gz 24',
      '03-02T01:16 metrics-day-2026-03-01.json.gz 25',
      '03-02T01:16 metrics-day-2026-03-02.json.gz 1',
      '03-02T02:16 metrics-day-2026-03-01.json.gz 26',
      '03-02T02:16 metrics-day-2026-03-02.json.gz 2',
      '03-02T03:16 metrics-day-2026-03-01.json.gz 27',
      '03-02T03:16 metrics-day-2026-03-02.json.gz 3',
      '03-02T04:16 metrics-day-2026-03-01.json.gz 28',
      '03-02T04:16 metrics-day-2026-03-02.json.gz 4',
      '03-02T05:16 metrics-day-2026-03-02.json.gz 5',
      '03-02T06:16 metrics-day-2026-03-02.json.gz 6',
    ]);
  });

  it('is late when asked, at 05:16Z', () => {
    assert.deepEqual(told(planWrites([{ ...first, late: true }])).slice(-2), [
      '03-02T04:16 metrics-day-2026-03-01.json.gz 28',
      '03-02T05:16 metrics-day-2026-03-01.json.gz 29',
    ]);
  });

  it('writes impressions beside the metrics when asked', () => {
    assert.deepEqual(told(planWrites([{ ...first, impressions: true }])).slice(0, 3), [
      '03-01T01:16 metrics-day-2026-03-01.json.gz 1',
      '03-01T01:16 impression-day-2026-03-01.json.gz 1',
      '03-01T02:16 metrics-day-2026-03-01.json.gz 2',
    ]);
  });
});

describe('a running Megaphone', function () {
  this.timeout(60_000);

  it('writes over midnight in the order of its plan, one file at a time', async () => {
    const days = [first, { ...second, impressions: true }];
    const puts: string[] = [];
    let under = 0;
    const vendor = startMegaphone({
      days,
      hourLasts: 2,
      startAt: midnight - 2 * hour,
      put: async (key, path) => {
        assert.equal((under += 1), 1);
        puts.push(`${key} ${(await linesOf(path)).length}`);
        under -= 1;
      },
    });
    await vendor.done;
    const planned = planWrites(days).filter(({ at }) => at >= midnight - 2 * hour);
    assert.deepEqual(
      vendor.written.map(({ key, version }) => `${key} ${version}`),
      planned.map(({ key, version }) => `${key} ${version}`),
    );
    assert.deepEqual(
      puts,
      vendor.written.map(({ key, rows }) => `${key} ${rows}`),
    );
    assert.deepEqual(vendor.written.at(0), {
      key: 'metrics-day-2026-03-01.json.gz',
      type: 'metrics',
      date: '2026-03-01',
      version: 22,
      rows: 432,
      bytes: vendor.written[0]!.bytes,
    });
  });

  it('writes when its own clock says so', async () => {
    const clock = eagerClock();
    const vendor = startMegaphone({
      days: [{ ...first, late: true }],
      hourLasts: 600,
      startAt: midnight + 2 * hour,
      clock,
      put: () => Promise.resolve(),
    });
    assert.equal(vendor.now(), midnight + 2 * hour);
    await vendor.done;
    assert.deepEqual(clock.slept.map(Math.round), [160, 600, 600, 600]);
    assert.equal(Math.round((vendor.now() - midnight) / 60_000), 5 * 60 + 16);
  });

  it('catches up with what is overdue, skipping nothing', async () => {
    const clock = eagerClock();
    const vendor = startMegaphone({
      days: [first],
      hourLasts: 100,
      startAt: midnight,
      clock,
      put: async (_key, _path, signal) => clock.sleep(250, signal),
    });
    await vendor.done;
    assert.deepEqual(
      vendor.written.map(({ version }) => version),
      [24, 25, 26, 27, 28],
    );
  });

  it('stops while it waits', async () => {
    const vendor = startMegaphone({
      days: [first],
      hourLasts: 60_000,
      startAt: midnight,
      put: () => Promise.resolve(),
    });
    await vendor.stop();
    assert.deepEqual(vendor.written, []);
  });

  it('stops while it writes, and what was not put is not told', async () => {
    let puts = 0;
    const vendor = startMegaphone({
      days: [first],
      hourLasts: 1,
      put: async (key, path, signal) => {
        puts += 1;
        if (puts === 3) await forEver(key, path, signal);
      },
    });
    await eventually(() => puts === 3);
    await vendor.stop();
    assert.deepEqual(
      vendor.written.map(({ version }) => version),
      [1, 2],
    );
  });

  it('stops while DuckDB makes a large file, and leaves nothing behind', () =>
    inTemporaryDirectory((directory) =>
      withEnvironment({ TMPDIR: directory }, async () => {
        const vendor = startMegaphone({
          days: [{ date: first.date, rows: 20_000_000 }],
          hourLasts: 1,
          startAt: midnight,
          put: () => Promise.reject(new Error('it was made in no time')),
        });
        await eventually(async () =>
          (await readdir(directory, { recursive: true })).some((name) => name.endsWith('.gz')),
        );
        await vendor.stop();
        assert.deepEqual([vendor.written, await readdir(directory)], [[], []]);
      }),
    ));

  it('stops by a signal of the caller’s', async () => {
    const caller = new AbortController();
    const vendor = startMegaphone({ days: [first], hourLasts: 1, put: forEver, signal: caller.signal });
    caller.abort();
    await vendor.done;
    assert.deepEqual(vendor.written, []);
  });

  it('tells of a put that failed, and writes no more', async () => {
    let puts = 0;
    const vendor = startMegaphone({
      days: [first],
      hourLasts: 1,
      put: () => (++puts === 2 ? Promise.reject(new Error('the bucket is gone')) : Promise.resolve()),
    });
    await assert.rejects(vendor.done, /the bucket is gone/);
    await assert.rejects(vendor.stop(), /the bucket is gone/);
    assert.deepEqual([puts, vendor.written.length], [2, 1]);
  });

  it('writes a flawed version where it is told to', async () => {
    const vendor = startMegaphone({
      days: [{ ...first, flawsOf: (version) => (version === 27 ? { lost: 100 } : {}) }],
      hourLasts: 1,
      startAt: midnight,
      put: () => Promise.resolve(),
    });
    await vendor.done;
    assert.deepEqual(
      vendor.written.map(({ rows }) => rows),
      [472, 474, 476, 378, 480],
    );
  });
});
