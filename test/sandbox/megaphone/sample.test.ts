import assert from 'node:assert/strict';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

import { GetObjectCommand, HeadObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';

import {
  lastFinalDay,
  megaphoneBucket,
  sampleMegaphone,
  type MegaphoneSample,
  type MegaphoneSampleRequest,
} from '../../../sandbox/megaphone/sample.js';
import { startS3 } from '../../../sandbox/s3.js';
import { eventually } from '../../support/eventually.js';
import { inTemporaryDirectory } from '../../support/isolated.js';
import { s3Client } from '../../support/s3.js';

const now = Date.parse('2026-03-04T09:00:00Z');
const keys = [
  'metrics-day-2026-03-01.json.gz',
  'metrics-day-2026-03-02.json.gz',
  'metrics-day-2026-03-03.json.gz',
];

interface Place {
  readonly start: (request?: Partial<MegaphoneSampleRequest>) => Promise<MegaphoneSample>;
  readonly etag: (key: string) => Promise<string | undefined>;
  readonly read: (key: string) => Promise<void>;
  /** What a listing says of a key. */
  readonly listed: (key: string) => Promise<string | undefined>;
  /** Reads the last day's file until the sample has come to its end. */
  readonly readOn: (sample: MegaphoneSample) => Promise<void>;
  readonly said: string[];
}

/** An S3 server and a memory of its own. */
async function inPlace(body: (place: Place) => Promise<void>): Promise<void> {
  await inTemporaryDirectory(async (directory) => {
    const server = await startS3({ directory: join(directory, 's3'), buckets: [megaphoneBucket] });
    const client = s3Client(server);
    const said: string[] = [];
    const read = async (key: string): Promise<void> => {
      const { Body } = await client.send(new GetObjectCommand({ Bucket: megaphoneBucket, Key: key }));
      await Body!.transformToByteArray();
    };
    try {
      await body({
        said,
        read,
        listed: async (key) => {
          const { Contents } = await client.send(new ListObjectsV2Command({ Bucket: megaphoneBucket }));
          return Contents?.find(({ Key }) => Key === key)?.ETag;
        },
        readOn: async ({ done }) => {
          let over = false;
          const ended = done.finally(() => (over = true));
          while (!over) await Promise.all(keys.slice(2).map(read));
          await ended;
        },
        start: (request) =>
          sampleMegaphone({
            server,
            memory: join(directory, 'sample'),
            now,
            rewriteEvery: 20,
            progress: (line) => void said.push(line),
            ...request,
          }),
        etag: async (key) =>
          (await client.send(new HeadObjectCommand({ Bucket: megaphoneBucket, Key: key }))).ETag,
      });
    } finally {
      await server.stop();
    }
  });
}

const told = ({ written }: MegaphoneSample): string[] =>
  written.map(({ date, version, rows }) => `${date} ${version} ${rows}`);

describe('the sample of Megaphone', function () {
  this.timeout(60_000);

  it('ends with the most recent day whose 04:30Z has passed', () => {
    assert.equal(lastFinalDay(Date.parse('2026-03-04T04:29:59Z')), '2026-03-02');
    assert.equal(lastFinalDay(Date.parse('2026-03-04T04:30:00Z')), '2026-03-03');
  });

  it('has two days that stand still and one that is overwritten three times', () =>
    inPlace(async ({ start, etag, said, read, readOn, listed }) => {
      const sample = await start({ clock: clockWithSleeps(0) });
      assert.deepEqual(
        [sample.bucket, sample.from, sample.to],
        ['megaphone-sample', '2026-03-01', '2026-03-03'],
      );
      assert.deepEqual(told(sample), ['2026-03-01 28 1500', '2026-03-02 28 1200', '2026-03-03 18 1335']);
      await sample.stop();
      const [oldest, older, last] = await Promise.all(keys.map(etag));

      const next = await start();
      await readOn(next);
      await read(keys[2]!);
      assert.equal(
        await listed(keys[2]!),
        await etag(keys[2]!),
        'who reads the last version may go on looking',
      );
      assert.deepEqual(told(next), ['2026-03-03 22 1631', '2026-03-03 25 1785', '2026-03-03 28 1800']);
      assert.deepEqual([await etag(keys[0]!), await etag(keys[1]!)], [oldest, older]);
      assert.notEqual(await etag(keys[2]!), last);
      assert.equal(said.length, 1);
    }));

  it('goes on where it was stopped in the middle', () =>
    inPlace(async ({ start, read, readOn }) => {
      const sample = await start({ clock: clockWithSleeps(2) });
      await eventually(async () => {
        await read(keys[2]!);
        return sample.written.length === 5;
      });
      await sample.stop();
      assert.equal(told(sample).at(-1), '2026-03-03 25 1785');

      const next = await start();
      await readOn(next);
      assert.deepEqual(told(next), ['2026-03-03 28 1800']);
    }));

  it('is found by a second start, which writes nothing, on whatever day', () =>
    inPlace(async ({ start, etag, said, readOn }) => {
      const first = await start();
      await readOn(first);
      assert.equal(first.written.length, 6);
      assert.ok(first.written.reduce((sum, { bytes }) => sum + bytes, 0) < 1_000_000);
      const etags = await Promise.all(keys.map(etag));
      const second = await start({ now: now + 86_400_000 });
      await second.done;
      assert.deepEqual([second.written, second.from, second.to], [[], first.from, first.to]);
      assert.deepEqual(await Promise.all(keys.map(etag)), etags);
      assert.equal(said.length, 1);
    }));

  it('waits between the versions', () =>
    inPlace(async ({ start, readOn }) => {
      const slept: number[] = [];
      let time = 0;
      const clock = {
        now: () => time,
        sleep: (ms: number) => {
          slept.push(ms);
          time += ms;
          return Promise.resolve();
        },
      };
      await readOn(await start({ rewriteEvery: 8_000, clock }));
      assert.deepEqual(slept, [8_000, 8_000, 8_000]);
    }));

  it('is not overwritten before it was read, and then before anybody lists it again, also by a second start', () =>
    inPlace(async ({ start, read, listed }) => {
      let time = 0;
      const clock: NonNullable<MegaphoneSampleRequest['clock']> = {
        now: () => time,
        // Wakes when it is not looked for any more: a machine that is busy with something else.
        sleep: async (ms, signal) => {
          const end = time + ms;
          await eventually(() => time >= end || signal.aborted, { timeoutMs: 20_000 });
        },
      };
      const sample = await start({ rewriteEvery: 8_000, clock });
      const last = keys[2]!;
      const first = await listed(last);
      time += 100_000;
      assert.equal(await listed(last), first, 'nobody has read it');
      await read(last);
      const second = await listed(last);
      assert.notEqual(second, first);
      assert.equal(sample.written.length, 4);
      assert.equal(await listed(last), second, 'nobody has read the second version');
      await read(last);
      assert.equal(await listed(last), second, '8 s are not over');
      await sample.stop();

      const next = await start({ rewriteEvery: 8_000, clock });
      time += 8_000;
      assert.notEqual(await listed(last), second, 'it was read before');
      await next.stop();
    }));

  it('has impressions too when asked', () =>
    inPlace(async ({ start }) => {
      const sample = await start({ impressions: true, versions: [28] });
      await sample.done;
      assert.deepEqual(
        sample.written.map(({ key }) => key),
        keys.flatMap((key) => [key, key.replace('metrics', 'impression')]),
      );
    }));
});

/** Sleeps are over at once, but for those after the first few, which last until they are interrupted. */
function clockWithSleeps(count: number): NonNullable<MegaphoneSampleRequest['clock']> {
  let [now, left] = [0, count];
  return {
    now: () => now,
    sleep: async (ms, signal) => {
      if ((left -= 1) < 0) await setTimeout(2 ** 31 - 1, undefined, { signal });
      now += ms;
    },
  };
}
