import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

import { startOfDay } from '../../../model/day.js';
import type { Clock } from '../../../sandbox/megaphone/writes.js';
import { planFiles, type VendorDay } from '../../../sandbox/monetate/day.js';
import { storeRoot } from '../../../sandbox/monetate/files.js';
import { badLines, type Flaw } from '../../../sandbox/monetate/flaws.js';
import { countRows, rowsOf } from '../../../sandbox/monetate/rows.js';
import { sessionLine } from '../../../sandbox/monetate/session.js';
import { startMonetate, type Monetate, type MonetateOptions } from '../../../sandbox/monetate/vendor.js';
import { dayFolder, parseKey, whyIgnored } from '../../../vendors/monetate/layout.js';
import { eventually } from '../../support/eventually.js';
import { inTemporaryDirectory } from '../../support/isolated.js';
import { linesOf } from './lines.js';

const day: VendorDay = { date: '2026-11-20', sessions: 60 };
const hour = 3_600_000;
const quarter = hour / 4;

/** A clock that is always there as soon as somebody sleeps, and lets others look first. */
function eagerClock(
  look: () => Promise<void> = () => Promise.resolve(),
): Clock & { readonly slept: number[] } {
  let now = 1_000;
  const slept: number[] = [];
  return {
    slept,
    now: () => now,
    sleep: async (ms) => {
      slept.push(ms);
      now += ms;
      await look();
    },
  };
}

/** Sleeps are over at once, but for those after the first few, which last until they are interrupted. */
function clockWithSleeps(count: number): Clock {
  let [now, left] = [0, count];
  return {
    now: () => now,
    sleep: async (ms, signal) => {
      if ((left -= 1) < 0) await setTimeout(2 ** 31 - 1, undefined, { signal });
      now += ms;
    },
  };
}

interface Place {
  readonly start: (options?: Partial<MonetateOptions>) => Monetate;
  readonly path: (key: string) => string;
  /** Keys of all files that lie there. */
  readonly keys: () => Promise<readonly string[]>;
}

function inPlace(body: (place: Place) => Promise<void>): Promise<void> {
  return inTemporaryDirectory((directory) => {
    const root = join(directory, storeRoot);
    return body({
      start: (options) =>
        startMonetate({ directory, days: [day], quarterLasts: 900, clock: eagerClock(), ...options }),
      path: (key) => join(root, key),
      keys: async () => {
        const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => []);
        return entries
          .filter((entry) => entry.isFile())
          .map((entry) => join(entry.parentPath, entry.name).slice(root.length))
          .sort();
      },
    });
  });
}

const sorted = (vendor: Monetate): readonly string[] => vendor.written.map(({ key }) => key).sort();

describe('a running Monetate', function () {
  this.timeout(60_000);

  it('writes every file of its days, over midnight, in the order of time', () =>
    inPlace(async ({ start, path, keys }) => {
      const days = [{ ...day, date: '2026-11-21' }, day];
      const vendor = start({ days });
      await vendor.done;
      const planned = planFiles(days);
      assert.deepEqual(vendor.files, planned);
      assert.deepEqual(sorted(vendor), await keys());
      assert.deepEqual(
        vendor.written.map(({ key }) => key),
        planned.map(({ key }) => key),
      );
      for (const [index, file] of planned.entries()) {
        const bytes = await readFile(path(file.key));
        assert.deepEqual(await linesOf(path(file.key)), file.sessions.map(sessionLine));
        assert.equal(vendor.written[index]!.bytes, bytes.length);
      }
      assert.ok(planned.at(-1)!.key.startsWith('2026/11/22/'));
    }));

  it('writes each when its interval has ended and the vendor’s time has come', () =>
    inPlace(async ({ start }) => {
      const clock = eagerClock();
      const vendor = start({ clock, filesPerInterval: 1, delay: 120_000 });
      const [first, last] = [vendor.files[0]!, vendor.files.at(-1)!];
      assert.equal(first.at, first.interval + quarter + 120_000);
      assert.equal(vendor.now(), first.at);
      await vendor.done;
      // The end of an upload comes a minute after its beginning.
      assert.equal(Math.round(vendor.now()), last.interval + quarter + 180_000);
      const lasted = clock.slept.reduce((sum, ms) => sum + ms, 0);
      assert.equal(Math.round(lasted), Math.round(((last.at + 60_000 - first.at) / quarter) * 900));
    }));

  it('lets files grow, some under another name until they are whole', () =>
    inPlace(async ({ start, path, keys }) => {
      const grew = new Map<string, number>();
      const clock = eagerClock(async () => {
        for (const key of await keys()) {
          if (!grew.has(key)) grew.set(key, (await stat(path(key))).size);
        }
      });
      const vendor = start({ clock });
      await vendor.done;
      const kinds = vendor.written.map(({ key, bytes }) => {
        const [own, other] = [grew.get(key), grew.get(`${key}.filepart`)];
        // No gzip file is half as long as another one of it.
        if (other === undefined) return own === Math.ceil(bytes / 2) ? 'grows' : 'whole at once';
        return other === Math.ceil(bytes / 2) && (own ?? bytes) === bytes ? 'renamed' : 'torn';
      });
      assert.deepEqual(new Set(kinds), new Set(['grows', 'renamed']));
      assert.equal(whyIgnored(`${vendor.written[1]!.key}.filepart`), 'an upload under way');
      assert.ok((await keys()).every((key) => !key.endsWith('.filepart')));
      assert.ok(Math.abs((await stat(path(vendor.written[0]!.key))).mtimeMs - Date.now()) < 60_000);
    }));

  it('leaves out what was due before it started', () =>
    inPlace(async ({ start, keys }) => {
      const noon = startOfDay(day.date) + 12 * hour;
      const vendor = start({ startAt: noon });
      await vendor.done;
      const expected = planFiles([day]).filter(({ at }) => at >= noon);
      assert.ok(expected.length > 10);
      assert.deepEqual(vendor.files, expected);
      assert.deepEqual(await keys(), expected.map(({ key }) => key).sort());
    }));

  it('stops while it waits', () =>
    inPlace(async ({ start, keys }) => {
      const vendor = start({ clock: clockWithSleeps(1), filesPerInterval: 1 });
      await eventually(() => vendor.written.length === 1);
      await vendor.stop();
      assert.deepEqual(await keys(), [vendor.files[0]!.key]);
    }));

  it('stops in the middle of an upload, which stays half', () =>
    inPlace(async ({ start, path, keys }) => {
      const caller = new AbortController();
      const vendor = start({ clock: clockWithSleeps(0), signal: caller.signal });
      const { key } = vendor.files[0]!;
      await eventually(async () => (await stat(path(key))).size > 0);
      caller.abort();
      await vendor.done;
      assert.deepEqual([vendor.written, await keys()], [[], [key]]);
      await assert.rejects(linesOf(path(key)), /unexpected end of file/);
    }));

  it('tells of a write that failed, and writes no more', () =>
    inPlace(async ({ start, path }) => {
      await mkdir(join(path(''), '..'), { recursive: true });
      await writeFile(path('').slice(0, -1), 'This is no folder.');
      const vendor = start();
      await assert.rejects(vendor.done, /ENOTDIR|EEXIST/);
      await assert.rejects(vendor.stop(), /ENOTDIR|EEXIST/);
      assert.deepEqual(vendor.written, []);
    }));

  it('needs a day with sessions', () =>
    inPlace(({ start }) => {
      assert.throws(() => start({ days: [{ ...day, sessions: 0 }] }), /a vendor needs a day with sessions/);
      return Promise.resolve();
    }));
});

describe('a Monetate with flaws', function () {
  this.timeout(60_000);
  const days = [{ ...day, sessions: 300 }];
  const planned = planFiles(days);
  /** Second files of an interval that have some sessions. */
  const places = planned.filter(
    ({ interval, sessions }, index) => planned[index - 1]?.interval === interval && sessions.length > 1,
  );
  const at = (flaw: Flaw['flaw'], index: number, more: Partial<Flaw> = {}): Flaw => ({
    ...{ flaw, interval: places[index]!.interval, file: 1 },
    ...more,
  });

  it('is late with a file', () =>
    inPlace(async ({ start }) => {
      const vendor = start({ days, flaws: [at('late', 5, { by: 2 * hour })] });
      await vendor.done;
      const { key } = places[5]!;
      const place = vendor.written.findIndex((file) => file.key === key);
      assert.ok(vendor.written[place - 1]!.key > key);
      assert.equal(vendor.files[place]!.at, places[5]!.at + 2 * hour);
      assert.deepEqual(countRows(rowsOf(vendor.files)), countRows(rowsOf(planned)));
    }));

  it('writes a file anew in another version', () =>
    inPlace(async ({ start, path }) => {
      const vendor = start({ days, flaws: [at('rewritten', 10)] });
      await vendor.done;
      const { key, sessions } = places[10]!;
      const versions = vendor.written.filter((file) => file.key === key);
      assert.equal(versions.length, 2);
      assert.ok(versions[0]!.sessions < versions[1]!.sessions);
      assert.deepEqual(await linesOf(path(key)), sessions.map(sessionLine));
      assert.equal(vendor.files.length, planned.length);
    }));

  it('breaks off an upload for good', () =>
    inPlace(async ({ start, path, keys }) => {
      const vendor = start({ days, flaws: [at('breaks off', 3), at('breaks off', 4)] });
      await vendor.done;
      const torn = (await keys()).filter((key) => !sorted(vendor).includes(key));
      assert.deepEqual(torn, [places[3]!.key, places[4]!.key]);
      for (const key of torn) await assert.rejects(linesOf(path(key)), /unexpected end of file/);
      assert.ok(vendor.files.every(({ key }) => !torn.includes(key)));
    }));

  it('delivers sessions twice', () =>
    inPlace(async ({ start }) => {
      const vendor = start({ days, flaws: [at('repeated', 7)] });
      await vendor.done;
      const { key, sessions } = places[7]!;
      const same = vendor.files.filter((file) => file.sessions[0]?.session_id === sessions[0]!.session_id);
      assert.deepEqual([same.length, same[0]!.key], [2, key]);
      assert.equal(whyIgnored(same[1]!.key), undefined);
      assert.equal(parseKey(same[1]!.key)!.from, places[7]!.interval);
      const lines = vendor.written.reduce((sum, file) => sum + file.sessions, 0);
      assert.equal(lines, 300 + sessions.length);
      assert.equal(countRows(rowsOf(vendor.files)).session, 300);
    }));

  it('writes lines that are bad, and files that are empty', () =>
    inPlace(async ({ start, path }) => {
      const vendor = start({ days, flaws: [at('bad lines', 1), at('empty', 2)] });
      await vendor.done;
      const bad = vendor.written.filter(({ quarantined }) => quarantined > 0);
      assert.deepEqual(
        bad.map(({ key, quarantined }) => [key, quarantined]),
        [[places[1]!.key, badLines.length]],
      );
      const lines = await linesOf(path(places[1]!.key));
      assert.equal(lines.length, places[1]!.sessions.length + badLines.length);
      const empty = vendor.written.filter(({ sessions }) => sessions === 0);
      assert.equal(empty.length, 1);
      assert.deepEqual(await linesOf(path(empty[0]!.key)), []);
      assert.equal(parseKey(empty[0]!.key)!.from, places[2]!.interval);
      assert.equal(countRows(rowsOf(vendor.files)).session, 300);
    }));

  it('has things in its folders that are none of the export’s', () =>
    inPlace(async ({ start, keys }) => {
      const vendor = start({ days, strangers: true });
      await vendor.done;
      const strangers = (await keys()).filter((key) => !sorted(vendor).includes(key));
      const folders = [...new Set(vendor.files.map(({ date }) => dayFolder(date)))];
      assert.deepEqual(folders, ['2026/11/20/', '2026/11/21/']);
      for (const folder of folders) {
        const why = strangers.filter((key) => key.startsWith(folder)).map((key) => whyIgnored(key));
        assert.deepEqual(why.sort(), [
          ...['an upload under way', 'an upload under way'],
          ...['in a folder of its own', 'not of this export'],
        ]);
      }
    }));

  it('cannot have them where there is no such file, or twice', () =>
    inPlace(({ start }) => {
      const wrong = [
        [at('late', 0, { interval: 0 })],
        [at('late', 0, { file: 9 })],
        [at('late', 0), at('empty', 0)],
      ];
      for (const flaws of wrong)
        assert.throws(() => start({ days, flaws }), /there is no file \d+ of .* '(late|empty)'/);
      return Promise.resolve();
    }));
});
