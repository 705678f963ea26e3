import assert from 'node:assert/strict';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

import { readHostKey } from '../../../config/host-key.js';
import { dayOf, startOfDay } from '../../../model/day.js';
import type { Clock } from '../../../sandbox/megaphone/writes.js';
import { filesOfFolder } from '../../../sandbox/monetate/day.js';
import { countRows, rowsOf } from '../../../sandbox/monetate/rows.js';
import {
  lastClosedDay,
  sampleMonetate,
  type MonetateSample,
  type MonetateSampleRequest,
} from '../../../sandbox/monetate/sample.js';
import { openSftp } from '../../../stores/sftp.js';
import { dayFolder } from '../../../vendors/monetate/layout.js';
import { lookAtDay, type DaySighting } from '../../../vendors/monetate/sighting.js';
import { eventually } from '../../support/eventually.js';
import { inTemporaryDirectory } from '../../support/isolated.js';
import { linesOf } from './lines.js';

const now = Date.parse('2028-03-02T12:29:00Z');
const [from, to] = ['2028-02-28', '2028-02-29'];

interface Place {
  readonly directory: string;
  readonly start: (request?: Partial<MonetateSampleRequest>) => Promise<MonetateSample>;
  readonly said: string[];
}

/** A folder and a memory of its own; the servers of all starts are stopped. */
async function inPlace(body: (place: Place) => Promise<void>): Promise<void> {
  await inTemporaryDirectory(async (folder) => {
    const started: MonetateSample[] = [];
    const said: string[] = [];
    const directory = join(folder, 'sftp');
    try {
      await body({
        directory,
        said,
        start: async (request) => {
          const sample = await sampleMonetate({
            ...{ directory, memory: join(folder, 'sample'), now, quarterLasts: 1 },
            progress: (line) => void said.push(line),
            ...request,
          });
          started.push(sample);
          return sample;
        },
      });
    } finally {
      await Promise.all(started.map((sample) => sample.stop()));
    }
  });
}

/** What a look at a day sees, over SFTP. */
async function lookAt(sample: MonetateSample, date: string): Promise<DaySighting> {
  const { server, username, password, root } = sample;
  const store = openSftp({
    ...{ host: server.host, port: server.port, username, root },
    ...{ login: { password }, hostKey: readHostKey(server.hostKey)! },
  });
  try {
    const look = lookAtDay(date, { closesAt: now, upTo: Infinity });
    for (const prefix of look.prefixes) {
      for await (const page of store.list(prefix, { depth: 'level' })) look.see(page);
    }
    return look.sighting(0);
  } finally {
    await store.close();
  }
}

/** Sleeps are over at once, but for those after the first few, which last until they are interrupted. */
function clockWithSleeps(count: number): Clock {
  let [time, left] = [0, count];
  return {
    now: () => time,
    sleep: async (ms, signal) => {
      if ((left -= 1) < 0) await setTimeout(2 ** 31 - 1, undefined, { signal });
      time += ms;
    },
  };
}

describe('the sample of Monetate', function () {
  this.timeout(60_000);

  it('ends with the most recent day of which no session can come any more', () => {
    assert.equal(lastClosedDay(now), to);
    assert.equal(lastClosedDay(now + 60_000), '2028-03-01');
  });

  it('has a whole day, and the morning of the next one; its afternoon comes while people watch', () =>
    inPlace(async ({ start, said }) => {
      const sample = await start({ clock: clockWithSleeps(0) });
      assert.deepEqual([sample.from, sample.to, sample.root], [from, to, '1234/raw_data/session_stream/']);
      const [whole, running] = [from, to].map((date) => filesOfFolder(sample.files, date));
      const first = await lookAt(sample, from);
      assert.deepEqual([first.files, first.growing, first.exportThere], [whole!.length, 0, true]);
      const morning = await lookAt(sample, to);
      assert.equal(first.nextFiles, morning.files);
      assert.ok(morning.files > 60 && morning.files < running!.length - 60);
      assert.ok(first.newest! < now - 86_400_000);
      assert.equal(said.length, 1);
    }));

  it('comes to its end: all that is to land lies there, and nothing of a third day', () =>
    inPlace(async ({ start, directory }) => {
      const sample = await start();
      await sample.done;
      assert.equal(sample.written.length, sample.files.length);
      const last = await lookAt(sample, to);
      assert.deepEqual([last.files, last.nextFiles], [filesOfFolder(sample.files, to).length, 0]);
      assert.equal((await lookAt(sample, '2028-03-01')).files, 0);
      const rows = rowsOf(sample.files);
      assert.ok(rows.session.length > 4_000 && rows.session.length < 4_200);
      assert.ok(Math.min(...Object.values(countRows(rows))) > 300);
      const lines = sample.written.reduce((sum, { sessions }) => sum + sessions, 0);
      assert.ok(lines > rows.session.length);
      assert.equal(
        sample.written.reduce((sum, { quarantined }) => sum + quarantined, 0),
        1,
      );
      const overnight = rows.session.filter(
        (row) => row['export_date'] === to && dayOf(Date.parse(String(row['start_time']))) === from,
      );
      assert.ok(overnight.length > 50);
      assert.ok(sample.written.reduce((sum, { bytes }) => sum + bytes, 0) < 3_000_000);
      for (const { key } of sample.files.slice(-5)) {
        assert.ok((await linesOf(join(directory, sample.root, key))).length > 0);
        assert.ok(key.startsWith(dayFolder(to)));
      }
    }));

  it('goes on where it was stopped in the middle, with the same secrets', () =>
    inPlace(async ({ start }) => {
      const sample = await start({ clock: clockWithSleeps(20) });
      const atOnce = sample.files.filter(({ at }) => at < startOfDay(to) + 12.75 * 3_600_000).length;
      await eventually(() => sample.written.length > atOnce + 5);
      await sample.stop();
      const next = await start({ now: now + 86_400_000 });
      await next.done;
      const { files, ignored } = await lookAt(next, to);
      assert.deepEqual([files, ignored], [filesOfFolder(next.files, to).length, 0]);
      const keys = [...sample.written, ...next.written].map(({ key }) => key);
      assert.equal(new Set(keys).size, keys.length);
      assert.deepEqual(
        [next.from, next.to, next.password, next.maskKey, next.server.hostKey],
        [from, to, sample.password, sample.maskKey, sample.server.hostKey],
      );
    }));

  it('is found by a second start, which writes nothing', () =>
    inPlace(async ({ start, said }) => {
      const first = await start();
      await first.done;
      const before = await lookAt(first, to);
      const second = await start();
      await second.done;
      assert.deepEqual(second.written, []);
      assert.deepEqual(await lookAt(second, to), before);
      assert.equal(said.length, 1);
    }));

  it('takes half a minute', () =>
    inPlace(async ({ start }) => {
      const slept: number[] = [];
      let time = 0;
      const clock: Clock = {
        now: () => time,
        sleep: (ms) => {
          slept.push(ms);
          time += ms;
          return Promise.resolve();
        },
      };
      await (
        await start({ clock, quarterLasts: 450 })
      ).done;
      assert.ok(time > 18_000 && time < 25_000, String(time));
      assert.ok(slept.length > 80);
    }));

  it('has secrets that are its own', () =>
    inPlace(async ({ start }) => {
      const one = await start();
      await inPlace(async ({ start: startOther }) => {
        const other = await startOther();
        assert.notEqual(one.password, other.password);
        assert.notEqual(one.maskKey, other.maskKey);
        assert.ok(one.maskKey.length >= 32);
      });
    }));
});
