import assert from 'node:assert/strict';
import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';

import { describeFile, readFile } from '../../reader/read-file.js';
import { csvColumns, csvFiles } from '../../vendors/leanplum/csv.js';
import { constants } from './landing.js';
import { reading, textOf, timesOpen } from './reading.js';
import { csv, sayings } from './sayings.js';

describe('reading CSV', function () {
  this.timeout(60_000);

  it('describes a file by its rows and the names in its header', () =>
    reading(async (at) => {
      const path = join(at.folder, 'part');
      const describe = async (content: string | Buffer): Promise<unknown> => {
        await writeFile(path, content);
        return describeFile(at.connection, 'csv', { path, key: 'k' }, at.folder, at.signal);
      };
      assert.deepEqual(await describe(gzipSync(`b,"a ""1"""\n${'1,"\n"\nx\n'.repeat(60_000)}`)), {
        rows: 120_000,
        columns: ['b', 'a "1"'],
      });
      assert.deepEqual(await describe('x'), { rows: 0, columns: ['x'] });
      assert.deepEqual(await describe(''), { rows: 0, columns: [] });
    }));

  it('gives a table of Leanplum the columns that its file has headers for, and no others', () =>
    reading(async (at) => {
      const path = join(at.folder, 'part');
      await writeFile(path, '');
      const file = csvFiles.eventparameters;
      const rows = await readFile(
        at.connection,
        { format: 'csv', file, columns: csvColumns(file) },
        { path, key: 'k' },
        constants,
        at,
        at.signal,
      );
      assert.deepEqual(rows.tables, [
        { name: 'event_parameter', columns: ['_file_id', '_line', 'event_id', 'name', 'value', '_extra'] },
      ]);
    }));

  describe('piece by piece', () => {
    const many = gzipSync(csv('1,x\nx\n'.repeat(200_000)), { level: 1 });
    const count = async (rows: Readable): Promise<number> => (await textOf(rows)).split('\n').length - 1;

    it('never has more than two pieces of a file on the disk, and can be done again', () =>
      reading(async (at) => {
        const path = join(at.folder, 'part');
        await writeFile(path, gzipSync(csv(`1,${'x'.repeat(300)}\nx\n`.repeat(100_000))));
        const rows = await readFile(at.connection, sayings, { path, key: 'k' }, constants, at, at.signal);
        for (let turn = 0; turn < 2; turn += 1) {
          assert.equal(await rows.good(count), 100_000);
          assert.equal(await rows.bad(count), 100_000);
          assert.equal(rows.parsed(), 200_000);
        }
        const names = (await readdir(at.folder)).sort();
        assert.deepEqual(names, ['part', 'records-0', 'records-1', 'rows', 'rows-0', 'rows-1']);
        for (const name of names) assert.ok((await stat(join(at.folder, name))).size < 6e6, name);
      }));

    for (const of of ['good', 'bad'] as const) {
      it(`stops its ${of} rows with a consumer that fails, and leaves nothing open`, () =>
        reading(async (at) => {
          const path = join(at.folder, 'part');
          await writeFile(path, many);
          const rows = await readFile(at.connection, sayings, { path, key: 'k' }, constants, at, at.signal);
          if (of === 'bad') await rows.good(count);
          for (let turn = 0; turn < 3; turn += 1) {
            await assert.rejects(
              rows[of](() => Promise.reject(new Error('the table is gone'))),
              /is gone/,
            );
            for (const name of await readdir(at.folder)) {
              assert.equal(timesOpen(join(at.folder, name)) ?? 0, 0, name);
            }
          }
          assert.equal(await rows[of](count), 200_000);
        }));
    }

    it('stops when the step is aborted', async () => {
      const abort = new AbortController();
      await reading(async (at) => {
        const path = join(at.folder, 'part');
        await writeFile(path, many);
        const rows = await readFile(at.connection, sayings, { path, key: 'k' }, constants, at, at.signal);
        const consumed = rows.good(async (source) => {
          for await (const chunk of source)
            if (chunk !== undefined) abort.abort(new Error('the worker stops'));
          return 0;
        });
        await assert.rejects(consumed, /the worker stops|Interrupted/);
      }, abort.signal);
    });
  });
});
