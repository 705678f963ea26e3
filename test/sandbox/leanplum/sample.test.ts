import assert from 'node:assert/strict';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';

import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';

import type { MadeFile } from '../../../sandbox/leanplum/job.js';
import {
  leanplumBucket,
  sampleLeanplum,
  type LeanplumSample,
  type LeanplumSampleRequest,
} from '../../../sandbox/leanplum/sample.js';
import type { Clock } from '../../../sandbox/megaphone/writes.js';
import { startS3 } from '../../../sandbox/s3.js';
import { isJob, parseKey } from '../../../vendors/leanplum/layout.js';
import { inTemporaryDirectory } from '../../support/isolated.js';
import { linesOf, parseLine } from '../../support/leanplum-lines.js';
import { sightMade } from '../../support/leanplum-sight.js';
import { s3Client } from '../../support/s3.js';

/** In Los Angeles it is still the 4th. */
const now = Date.parse('2026-03-05T06:00:00Z');

interface Place {
  readonly start: (request?: Partial<LeanplumSampleRequest>) => Promise<LeanplumSample>;
  /** What lies in the bucket, by key. */
  readonly files: () => Promise<readonly MadeFile[]>;
  readonly said: string[];
}

/** An S3 server and a memory of its own. */
async function inPlace(body: (place: Place) => Promise<void>): Promise<void> {
  await inTemporaryDirectory(async (directory) => {
    const server = await startS3({ directory: join(directory, 's3'), buckets: [leanplumBucket] });
    const client = s3Client(server);
    const said: string[] = [];
    const read = async (Key: string): Promise<Buffer> => {
      const { Body } = await client.send(new GetObjectCommand({ Bucket: leanplumBucket, Key }));
      return Buffer.from(await Body!.transformToByteArray());
    };
    try {
      await body({
        said,
        start: (request) =>
          sampleLeanplum({
            ...{ server, memory: join(directory, 'sample'), now, manifestAfter: 0 },
            progress: (line) => void said.push(line),
            ...request,
          }),
        files: async () => {
          const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: leanplumBucket }));
          return Promise.all(
            Contents.map(async ({ Key = '' }) => {
              const { kind, role } = parseKey(Key)!;
              return { key: Key, kind, role, bytes: await read(Key) };
            }),
          );
        },
      });
    } finally {
      await server.stop();
    }
  });
}

/** Sleeps last until they are interrupted. */
const stillClock: Clock = {
  now: () => 0,
  sleep: (_ms, signal) => setTimeout(2 ** 31 - 1, undefined, { signal }),
};

describe('the sample of Leanplum', function () {
  this.timeout(60_000);

  it('has jobs of yesterday and today in Los Angeles', () =>
    inPlace(async ({ start, files, said }) => {
      const sample = await start();
      await sample.done;
      assert.deepEqual(
        [sample.bucket, sample.from, sample.to],
        ['leanplum-sample', '2026-03-03', '2026-03-04'],
      );
      assert.deepEqual(
        sample.jobs.map(({ date, outcome }) => `${date} ${outcome}`),
        [
          ...['2026-03-03 final', '2026-03-03 final', '2026-03-03 discarded'],
          ...['2026-03-04 final', '2026-03-04 final', '2026-03-04 final'],
        ],
      );
      const there = await files();
      for (const { uuid, date, outcome } of sample.jobs) {
        assert.ok(isJob(uuid));
        const sighting = sightMade(uuid, there);
        assert.equal(sighting.marker !== undefined, outcome === 'final');
        assert.equal(sighting.shardsMissing, 0);
        const own = there.filter(({ key }) => parseKey(key)?.job === uuid);
        assert.ok(own.length > 0 && own.every(({ key }) => parseKey(key)?.date === date));
      }
      assert.ok(sample.written.reduce((sum, { bytes }) => sum + bytes, 0) < 10_000_000);
      assert.deepEqual(
        there.map(({ key }) => key),
        sample.written.map(({ key }) => key).sort(),
      );
      assert.equal(said.length, 1);
    }));

  it('waits with the last manifest until people watch', () =>
    inPlace(async ({ start, files }) => {
      const sample = await start({ clock: stillClock, manifestAfter: 10_000 });
      const last = sample.jobs.at(-1)!.uuid;
      assert.deepEqual(sightMade(last, await files()).manifestsMissing, ['json']);
      assert.equal(sightMade(last, await files()).shardsThere, 2);
      await sample.stop();

      const next = await start();
      await next.done;
      assert.deepEqual(
        next.written.map(({ job, role }) => [job, role]),
        [[last, 'manifest']],
      );
      assert.deepEqual(sightMade(last, await files()).manifestsMissing, []);
    }));

  it('waits ten seconds for it', () =>
    inPlace(async ({ start }) => {
      const slept: number[] = [];
      const clock: Clock = {
        now: () => 0,
        sleep: (ms) => {
          slept.push(ms);
          return Promise.resolve();
        },
      };
      const sample = await start({ manifestAfter: 10_000, clock });
      await sample.done;
      assert.deepEqual(slept, [10_000]);
    }));

  it('is found by a second start, which writes nothing, on whatever day', () =>
    inPlace(async ({ start, files, said }) => {
      const first = await start();
      await first.done;
      const before = await files();
      const second = await start({ now: now + 86_400_000 });
      await second.done;
      assert.deepEqual(second.written, []);
      assert.deepEqual([second.from, second.to, second.jobs], [first.from, first.to, first.jobs]);
      assert.deepEqual(await files(), before);
      assert.equal(said.length, 1);
    }));

  it('has the same jobs wherever and whenever it is made', async () => {
    const jobs = async (at: number): Promise<string[]> => {
      let found: string[] = [];
      await inPlace(async ({ start }) => {
        const sample = await start({ now: at });
        await sample.done;
        found = sample.jobs.map(({ uuid }) => uuid);
      });
      return found;
    };
    assert.deepEqual(await jobs(now), await jobs(now + 40 * 86_400_000));
  });

  it('sends what broke off again with the job after it, grown', () =>
    inPlace(async ({ start, files }) => {
      const sample = await start();
      await sample.done;
      const there = await files();
      const sessionsOf = (index: number): string[] =>
        there
          .filter(({ key, role }) => role === 'shard' && parseKey(key)?.job === sample.jobs[index]!.uuid)
          .map(({ bytes }) => (bytes.readUInt16BE() === 0x1f8b ? gunzipSync(bytes) : bytes))
          // What follows the last line feed is a line that is cut.
          .flatMap((bytes) => linesOf(bytes).map((line) => String(parseLine(line)['sessionId'])));
      const [failed, again] = [sessionsOf(2), new Set(sessionsOf(3))];
      assert.equal(sample.jobs[2]!.outcome, 'discarded');
      assert.ok(failed.length > 200 && failed.length < 400);
      assert.ok(failed.every((id) => again.has(id)));
      assert.equal(again.size, 900);
    }));
});
