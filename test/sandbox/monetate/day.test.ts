import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';

import fc from 'fast-check';

import { addDays, dayOf, startOfDay } from '../../../model/day.js';
import { begunOn, filesOfFolder, planFiles, type VendorDay } from '../../../sandbox/monetate/day.js';
import { fileLines, storeRoot, writeFiles, type MonetateFile } from '../../../sandbox/monetate/files.js';
import { badLines } from '../../../sandbox/monetate/flaws.js';
import { sessionLine } from '../../../sandbox/monetate/session.js';
import { makeSessions } from '../../../sandbox/monetate/sessions.js';
import { parseKey, whyIgnored } from '../../../vendors/monetate/layout.js';
import { inTemporaryDirectory } from '../../support/isolated.js';
import { linesOf } from './lines.js';

const day: VendorDay = { date: '2026-11-20', sessions: 600 };
const minute = 60_000;
const hour = 60 * minute;

const idsOf = (files: readonly MonetateFile[]): readonly string[] =>
  files.flatMap(({ sessions }) => sessions.map(({ session_id: id }) => id)).sort();
const instants = (files: readonly MonetateFile[]): readonly string[] =>
  [...new Set(files.map(({ interval }) => new Date(interval).toISOString().slice(0, 16)))].sort();

describe("the files of the sandbox's Monetate", () => {
  it('have each session once, in a file of the quarter of an hour in which it ended', () => {
    const days = fc.record({
      date: fc.integer({ min: 0, max: 4_000 }).map((more) => addDays('2023-02-26', more)),
      sessions: fc.integer({ min: 0, max: 330 }),
      filesPerInterval: fc.integer({ min: 1, max: 4 }),
    });
    fc.assert(
      fc.property(days, ({ date, sessions, filesPerInterval }) => {
        const files = planFiles([{ date, sessions }], { filesPerInterval });
        const expected = makeSessions({ date, sessions }).map(({ session_id: id }) => id);
        assert.deepEqual(idsOf(files), expected.toSorted());
        for (const file of files) {
          assert.ok(file.sessions.length > 0);
          const { from, length, ...parsed } = parseKey(file.key)!;
          assert.deepEqual([parsed.date, from, length], [file.date, file.interval, 15 * minute]);
          assert.ok(file.at > from + length && file.at < from + length + 10 * minute);
          for (const { end_time: end } of file.sessions) assert.ok(end >= from && end < from + length);
        }
        assert.equal(new Set(files.map(({ key }) => key)).size, files.length);
        assert.deepEqual(
          files.map(({ at }) => at),
          files.map(({ at }) => at).toSorted((a, b) => a - b),
        );
      }),
      { numRuns: 25 },
    );
  });

  it('lie in the next day’s folder, up to 12:30, where a session of the day ended there', () => {
    const next = filesOfFolder(planFiles([day]), '2026-11-21');
    const ended = instants(next);
    assert.equal(ended[0], '2026-11-21T00:00');
    assert.equal(ended.at(-1), '2026-11-21T12:15');
    assert.ok(ended.length > 5);
    assert.ok(next.every(({ sessions }) => sessions.every(({ start_time: at }) => dayOf(at) === day.date)));
  });

  it('of several days share folders, and tell what began on a day', () => {
    const files = planFiles([{ ...day, date: '2026-11-21' }, day], { filesPerInterval: 3 });
    const starts = filesOfFolder(files, '2026-11-21').flatMap(({ sessions }) =>
      sessions.map(({ start_time: at }) => dayOf(at)),
    );
    assert.deepEqual(new Set(starts), new Set(['2026-11-20', '2026-11-21']));
    assert.equal(begunOn(files, '2026-11-20').length, 600);
    assert.equal(begunOn(files, '2026-11-21').length, 600);
    assert.equal(Math.max(...files.map(({ sessions }) => sessions.length)) > 3, true);
    assert.ok(files.filter(({ interval }) => interval === startOfDay('2026-11-21')).length <= 3);
  });

  it('of a leap day and a year’s end are in the folders of these days', () => {
    const foldersOf = (date: string): readonly string[] => [
      ...new Set(planFiles([{ date, sessions: 300 }]).map(({ key }) => key.slice(0, 11))),
    ];
    assert.deepEqual(foldersOf('2028-02-28'), ['2028/02/28/', '2028/02/29/']);
    assert.deepEqual(foldersOf('2028-02-29'), ['2028/02/29/', '2028/03/01/']);
    assert.deepEqual(foldersOf('2027-12-31'), ['2027/12/31/', '2028/01/01/']);
  });

  it('do not come on the next day where nobody stays overnight, and on none without sessions', () => {
    const files = planFiles([
      { ...day, overnight: false },
      { ...day, date: '2026-11-22' },
    ]);
    assert.deepEqual([...new Set(files.map(({ date }) => date))], ['2026-11-20', '2026-11-22', '2026-11-23']);
    assert.ok(begunOn(files, '2026-11-20').length > 500);
    assert.deepEqual(planFiles([{ ...day, sessions: 0 }]), []);
  });

  it('are gzip of a session a line, as old as the vendor’s', () =>
    inTemporaryDirectory(async (directory) => {
      const files = planFiles([{ ...day, sessions: 60 }]);
      const written = await writeFiles(directory, files);
      for (const [index, file] of files.entries()) {
        const path = join(directory, storeRoot, file.key);
        assert.equal(whyIgnored(file.key), undefined);
        assert.deepEqual(await linesOf(path), file.sessions.map(sessionLine));
        const { mtimeMs, size } = await stat(path);
        assert.equal(mtimeMs, file.at);
        assert.deepEqual(written[index], {
          ...{ key: file.key, date: file.date, sessions: file.sessions.length },
          ...{ quarantined: 0, bytes: size },
        });
      }
    }));

  it('have bad lines between the good ones where told to', () => {
    const [file] = planFiles([{ ...day, sessions: 300 }]);
    for (const sessions of [[], file!.sessions.slice(0, 1), makeSessions({ ...day, sessions: 30 })]) {
      const lines = fileLines({ ...file!, sessions, badLines });
      assert.deepEqual(
        lines.filter((line) => !badLines.includes(line)),
        sessions.map(sessionLine),
      );
      assert.deepEqual(
        lines.filter((line) => badLines.includes(line)),
        badLines,
      );
    }
    const spread = fileLines({ ...file!, sessions: makeSessions({ ...day, sessions: 30 }), badLines });
    assert.ok(
      !badLines.includes(spread[0]!) && spread.indexOf(badLines[1]!) > spread.indexOf(badLines[0]!) + 1,
    );
  });

  it('come in every hour of a day of some traffic', () => {
    const own = filesOfFolder(planFiles([{ ...day, sessions: 2_000 }]), day.date);
    const hours = new Set(own.map(({ interval }) => Math.floor((interval - startOfDay(day.date)) / hour)));
    assert.equal(hours.size, 24);
  });
});
