import assert from 'node:assert/strict';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { startOfDay } from '../../../model/day.js';
import { writeBulkDay, type BulkDay, type BulkDayToWrite } from '../../../sandbox/monetate/bulk.js';
import { storeRoot } from '../../../sandbox/monetate/files.js';
import { countRows, hundredths, rowsOf } from '../../../sandbox/monetate/rows.js';
import type { Session } from '../../../sandbox/monetate/session.js';
import { makeSessions } from '../../../sandbox/monetate/sessions.js';
import { dayFolder, parseKey } from '../../../vendors/monetate/layout.js';
import { inTemporaryDirectory } from '../../support/isolated.js';
import { linesOf } from './lines.js';

const date = '2028-02-29';
const folder = dayFolder(date);

interface Written {
  readonly day: BulkDay;
  readonly keys: readonly string[];
  readonly sessions: readonly (readonly Session[])[];
}

async function write(directory: string, more: Partial<BulkDayToWrite> = {}): Promise<BulkDay> {
  return writeBulkDay({ directory, date, files: 200, sessionsPerFile: 3, ...more });
}

/** Writes a day and reads what lies there. */
function written(more: Partial<BulkDayToWrite> = {}): Promise<Written> {
  return inTemporaryDirectory(async (directory) => {
    const day = await write(directory, more);
    const root = join(directory, storeRoot);
    const keys = (await readdir(join(root, folder))).sort().map((name) => `${folder}${name}`);
    const sessions = await Promise.all(
      keys.map(async (key) => (await linesOf(join(root, key))).map((line) => JSON.parse(line) as Session)),
    );
    return { day, keys, sessions };
  });
}

describe('a Monetate day in bulk', function () {
  this.timeout(60_000);

  it('is files of so many sessions that ended in their interval, all day long', async () => {
    const { day, keys, sessions } = await written();
    assert.deepEqual([day.files, day.sessions, keys.length], [200, 600, 200]);
    assert.ok(sessions.every(({ length }) => length === 3));
    const intervals = keys.map((key) => parseKey(key)!.from);
    assert.equal(new Set(intervals).size, 96);
    for (const [index, from] of intervals.entries()) {
      for (const session of sessions[index]!) {
        assert.ok(session.end_time >= from && session.end_time < from + 900_000);
      }
    }
    assert.equal(intervals[0], startOfDay(date));
  });

  it('has as many rows as it says, and is worth as much', async () => {
    const { day, sessions } = await written({ files: 3, sessionsPerFile: 200 });
    const rows = rowsOf([{ date, sessions: sessions.flat() }]);
    assert.deepEqual(day.rows, countRows(rows));
    assert.equal(day.cents, hundredths(rows.session, 'session_value'));
    assert.ok(day.cents > 0 && day.rows.session === 600);
  });

  it('has the fields of other made-up sessions, in their order', async () => {
    const { sessions } = await written({ files: 1, sessionsPerFile: 100 });
    const page = [...new Set(makeSessions({ date, sessions: 1 }).flatMap((session) => Object.keys(session)))];
    for (const session of sessions.flat()) {
      const keys = Object.keys(session).filter((key) => page.includes(key));
      assert.deepEqual(
        keys,
        page.filter((key) => keys.includes(key)),
      );
    }
  });

  it('has visitors who come three times, one visit after the other', async () => {
    const { sessions } = await written();
    const visits = new Map<string, Session[]>();
    for (const session of sessions.flat()) {
      visits.set(session.guid, [...(visits.get(session.guid) ?? []), session]);
    }
    assert.equal(visits.size, 200);
    for (const [first, second, third] of visits.values()) {
      assert.ok(first!.end_time < second!.start_time && second!.end_time < third!.start_time);
    }
  });

  it('is the same every time, and another on another day', async () => {
    const of = { files: 5, sessionsPerFile: 20 };
    const one = await written(of);
    const again = await written(of);
    assert.deepEqual([again.keys, again.sessions], [one.keys, one.sessions]);
    const other = await inTemporaryDirectory((directory) => write(directory, { ...of, date: '2028-03-01' }));
    assert.notEqual(other.cents, one.day.cents);
  });

  it('is made once where it is remembered', () =>
    inTemporaryDirectory(async (directory) => {
      const [memory, served] = [join(directory, 'memory.json'), join(directory, 'served')];
      const of = { files: 2, sessionsPerFile: 5, memory };
      const first = await write(served, of);
      const names = await readdir(join(served, storeRoot, folder));
      const path = join(served, storeRoot, folder, names[0]!);
      const { ctimeMs } = await stat(path);
      assert.deepEqual(await write(served, of), first);
      assert.equal((await stat(path)).ctimeMs, ctimeMs);
      const less = await write(served, { ...of, files: 1 });
      assert.equal(less.sessions, 5);
      assert.equal((JSON.parse(await readFile(memory, 'utf8')) as BulkDay).sessions, 5);
      assert.equal((await readdir(join(served, storeRoot, folder))).length, 1);
    }));
});
