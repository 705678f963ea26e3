import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';

import { leanplumJobNames, makeLeanplumDay } from '../../../sandbox/leanplum/day.js';
import type { MadeFile } from '../../../sandbox/leanplum/job.js';
import { mergeRows } from '../../../sandbox/leanplum/rows.js';
import { planUploads } from '../../../sandbox/leanplum/uploads.js';
import { startLeanplum } from '../../../sandbox/leanplum/vendor.js';
import type { Clock, Put } from '../../../sandbox/megaphone/writes.js';
import { pacificDay } from '../../../vendors/leanplum/pacific.js';
import { eventually } from '../../support/eventually.js';
import { parseLine } from '../../support/leanplum-lines.js';
import { sightMade } from '../../support/leanplum-sight.js';

const date = '2026-11-20';
const { jobs, rows } = makeLeanplumDay({ date, sessions: 60 });
const all = Object.values(jobs);
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
const nowhere: Put = () => Promise.resolve();

/** What happens to a job, by the vendor's time of day in PST. */
function told(name: (typeof leanplumJobNames)[number]): string[] {
  return planUploads([jobs[name]]).map(
    ({ at, file }) =>
      `${new Date(at - 8 * hour).toISOString().slice(11, 16)} ${file.key.split('-output')[1]!}`,
  );
}

describe('when Leanplum uploads', () => {
  it('"once all files for a particular job are uploaded", the manifest', () => {
    assert.deepEqual(told('json'), ['01:00 -0', '01:01 -1', '01:02 -2', '01:03 -manifest']);
  });

  it('each kind of a CSV job with a manifest of its own', () => {
    const uploads = told('csv');
    assert.equal(uploads.length, 18);
    assert.ok(uploads.slice(0, 12).every((upload) => /-[01]$/.test(upload)));
    assert.ok(uploads.slice(12).every((upload) => upload.endsWith('-manifest')));
  });

  it('that breaks off, the shards alone: "the manifest will never arrive"', () => {
    assert.deepEqual(told('brokenOff'), ['09:00 -0', '09:01 -1', '09:02 -2']);
    const [upload] = planUploads([jobs.brokenOff]).slice(-1);
    assert.throws(() => parseLine(upload!.file.bytes.toString().split('\n').at(-1)!));
  });

  it('its manifest late', () => {
    assert.deepEqual(told('lateManifest'), ['17:00 -0', '17:01 -1', '17:02 -2', '20:03 -manifest']);
  });

  it('a listed shard after its manifest', () => {
    assert.deepEqual(told('lateShard'), ['21:00 -0', '21:01 -2', '21:02 -manifest', '22:03 -1']);
  });

  it('all sessions of a failed job in the next one, by then grown', () => {
    const [failed, again] = [jobs.brokenOff.job.rows, jobs.again.job.rows];
    const ids = new Set(again.session.map((row) => row['session_id']));
    assert.ok(failed.session.every((row) => ids.has(row['session_id'] ?? null)));
    assert.equal(again.session.length, 2 * failed.session.length);
    assert.equal(mergeRows(failed, again).state.length, again.state.length);
    const names = (of: typeof failed) => of.state.filter(({ name }) => name === 'Page 2').length;
    assert.ok(names(failed) === 0 && names(again) > 40);
  });

  it('jobs that are in the end all complete but the one that broke off', () => {
    for (const name of leanplumJobNames) {
      const { job, ...more } = jobs[name];
      const files = planUploads([{ job, ...more }]).map(({ file }) => file);
      const { manifestsMissing, shardsMissing } = sightMade(job.uuid, files);
      assert.deepEqual([manifestsMissing, shardsMissing], [name === 'brokenOff' ? ['json'] : [], 0], name);
    }
    const ids = rows.session.map((row) => row['session_id']);
    assert.equal(new Set(ids).size, 360);
    assert.equal(ids.length, 360);
  });

  it('into the folder of the Pacific day', () => {
    assert.equal(pacificDay(Date.parse('2026-11-20T07:59:59Z')), '2026-11-19');
    assert.equal(pacificDay(Date.parse('2026-11-20T08:00:00Z')), '2026-11-20');
    // Summer time.
    assert.equal(pacificDay(Date.parse('2026-07-01T07:00:00Z')), '2026-07-01');
    for (const { at, file } of planUploads(all)) {
      assert.ok(file.key.startsWith('20261120/'));
      assert.equal(pacificDay(at), date);
    }
  });
});

describe('a running Leanplum', () => {
  it('uploads in the order of its plan, one file at a time', async () => {
    const puts: { key: string; bytes: Buffer }[] = [];
    let under = 0;
    const vendor = startLeanplum({
      jobs: [...all].reverse(),
      hourLasts: 1,
      put: async (key, path) => {
        assert.equal((under += 1), 1);
        puts.push({ key, bytes: await readFile(path) });
        under -= 1;
      },
    });
    await vendor.done;
    const planned = planUploads(all);
    assert.deepEqual(
      puts,
      planned.map(({ file }: { file: MadeFile }) => ({ key: file.key, bytes: file.bytes })),
    );
    assert.deepEqual(
      vendor.written,
      planned.map(({ job, file: { key, kind, role, bytes } }) => ({
        job,
        key,
        kind,
        role,
        bytes: bytes.length,
      })),
    );
  });

  it('uploads when its own clock says so', async () => {
    const clock = eagerClock();
    const vendor = startLeanplum({ jobs: [jobs.lateManifest], hourLasts: 600, clock, put: nowhere });
    assert.equal(vendor.now(), jobs.lateManifest.at);
    await vendor.done;
    assert.deepEqual(clock.slept.map(Math.round), [10, 10, 1_810]);
    assert.equal(Math.round((vendor.now() - jobs.lateManifest.at) / 60_000), 183);
  });

  it('begins later when told to, without what was before', async () => {
    const startAt = jobs.again.at;
    const vendor = startLeanplum({ jobs: all, hourLasts: 1, startAt, put: nowhere, clock: eagerClock() });
    await vendor.done;
    const { again, lateManifest, lateShard } = jobs;
    assert.deepEqual(
      [...new Set(vendor.written.map(({ job }) => job))],
      [again, lateManifest, lateShard].map(({ job }) => job.uuid),
    );
  });

  it('stops while it waits', async () => {
    const vendor = startLeanplum({ jobs: [jobs.json], hourLasts: 60_000_000, put: nowhere });
    await eventually(() => vendor.written.length === 1);
    await vendor.stop();
    assert.equal(vendor.written.length, 1);
  });

  it('stops while it uploads, and what was not put is not told', async () => {
    let puts = 0;
    const vendor = startLeanplum({
      jobs: all,
      hourLasts: 1,
      put: async (key, path, signal) => {
        puts += 1;
        if (puts === 3) await forEver(key, path, signal);
      },
    });
    await eventually(() => puts === 3);
    await vendor.stop();
    assert.equal(vendor.written.length, 2);
  });

  it('stops by a signal of the caller’s', async () => {
    const caller = new AbortController();
    const vendor = startLeanplum({ jobs: all, hourLasts: 1, put: forEver, signal: caller.signal });
    caller.abort();
    await vendor.done;
    assert.deepEqual(vendor.written, []);
  });

  it('tells of an upload that failed, and uploads no more', async () => {
    let puts = 0;
    const vendor = startLeanplum({
      jobs: all,
      hourLasts: 1,
      put: () => (++puts === 2 ? Promise.reject(new Error('the bucket is gone')) : Promise.resolve()),
    });
    await assert.rejects(vendor.done, /the bucket is gone/);
    await assert.rejects(vendor.stop(), /the bucket is gone/);
    assert.deepEqual([puts, vendor.written.length], [2, 1]);
  });

  it('needs a job', () => {
    assert.throws(
      () => startLeanplum({ jobs: [], hourLasts: 1, put: nowhere }),
      new RangeError('a vendor needs a job'),
    );
  });
});
