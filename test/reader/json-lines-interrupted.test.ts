import assert from 'node:assert/strict';
import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { gzipSync } from 'node:zlib';

import type { FileRows } from '../../model/row-text.js';
import { describeFile, readFile } from '../../reader/read-file.js';
import type { Table } from '../../vendors/table.js';
import { constants, everyType } from './landing.js';
import { countRows, reading, timesOpen, writeParquet, type Reading } from './reading.js';

const noKey: Table = { ...everyType, key: '_line', ofFile: ['export_date'] };
/** Of lines that are read at once. */
const plainLines = gzipSync('{"aText":"x"}\n{"aCount":1}\n'.repeat(200_000), { level: 1 });
/** Four pieces, of good and bad lines. */
const manyLines = gzipSync('{"aText":"x"}\n{"aCount":"x"}\n'.repeat(200_000), { level: 1 });

describe('reading JSON lines', function () {
  this.timeout(60_000);

  const open = async (
    at: Reading,
    content: string | Buffer,
  ): Promise<FileRows & { readonly path: string }> => {
    const path = join(at.folder, 'part');
    await writeFile(path, content);
    const rows = await readFile(
      at.connection,
      { format: 'json lines', table: noKey },
      { path, key: 'k' },
      constants,
      at,
      at.signal,
    );
    return { ...rows, path };
  };
  const nothingOpen = async (at: Reading): Promise<void> => {
    for (const name of await readdir(at.folder)) {
      assert.equal(timesOpen(join(at.folder, name)) ?? 0, 0, `${name} is open`);
    }
  };

  for (const [of, what, lines, expected] of [
    ['good', 'good rows', manyLines, 200_000],
    ['good', 'plain rows', plainLines, 400_000],
    ['bad', 'bad rows', manyLines, 200_000],
  ] as const) {
    describe(`for its ${what}`, () => {
      /** Bad rows are asked for when the good ones have been read. */
      const ready = async (rows: FileRows): Promise<FileRows> => {
        if (of === 'bad') assert.equal(await rows.good(countRows), 200_000);
        return rows;
      };

      it('gives them all, and again', () =>
        reading(async (at) => {
          const rows = await ready(await open(at, lines));
          for (let turn = 0; turn < 2; turn += 1) {
            assert.equal(await rows[of](countRows), expected);
            assert.equal(rows.parsed(), 400_000);
            await nothingOpen(at);
          }
        }));

      it('stops with a consumer that never reads, and with one that fails half-way', () =>
        reading(async (at) => {
          const rows = await ready(await open(at, lines));
          for (let turn = 0; turn < 3; turn += 1) {
            await assert.rejects(
              rows[of](() => Promise.reject(new Error('the table is gone'))),
              /the table is gone/,
            );
            await nothingOpen(at);
            await assert.rejects(
              rows[of]((source) =>
                pipeline(source, async (chunks: AsyncIterable<Buffer>) => {
                  for await (const chunk of chunks)
                    throw new Error(`the server went away after ${typeof chunk}`);
                  return 0;
                }),
              ),
              /the server went away/,
            );
            await nothingOpen(at);
          }
          assert.equal(await rows[of](countRows), expected);
        }));

      it('stops when the step is aborted, whatever reads it', async () => {
        const abort = new AbortController();
        await reading(async (at) => {
          const rows = await ready(await open(at, lines));
          await assert.rejects(
            rows[of](async (source) => {
              for await (const chunk of source)
                if (chunk !== undefined) abort.abort(new Error('the worker stops'));
              return 0;
            }),
            /the worker stops|Interrupted/,
          );
          await nothingOpen(at);
        }, abort.signal);
      });

      it('stops when the step is aborted before it begins', async () => {
        const abort = new AbortController();
        await reading(async (at) => {
          const rows = await ready(await open(at, lines));
          abort.abort(new Error('the worker stops'));
          await assert.rejects(rows[of](countRows), /the worker stops|Interrupted/);
          await nothingOpen(at);
        }, abort.signal);
      });
    });
  }

  it('ends as an error where the gzip is damaged after good rows, so that none of them is kept', () =>
    reading(async (at) => {
      const rows = await open(at, manyLines.subarray(0, -1));
      let bytes = 0;
      const consumed = rows.good(async (source) => {
        for await (const chunk of source as AsyncIterable<Buffer>) bytes += chunk.length;
        return 0;
      });
      await assert.rejects(consumed, { name: 'FileUnreadable' });
      assert.ok(bytes > 0, 'rows came before the error');
      await nothingOpen(at);
    }));

  it('says what to raise where a row takes more memory than a reader has', () =>
    reading(
      async (at) => {
        const rows = await open(at, `{"someJson":[${'1,'.repeat(7_000_000)}1]}\n`);
        await assert.rejects(rows.good(countRows), {
          name: 'ConfigInvalid',
          message:
            'Reading k takes more memory than worker.memoryLimit allows one reader. Raise it, restart the workers, then ' +
            'reprocess the delivery.',
        });
      },
      undefined,
      '64MB',
    ));

  it('goes on for more files at the same time than Node has threads for files', async () => {
    const twoPieces = gzipSync('{"aText":1}\n'.repeat(120_000), { level: 1 });
    const readers = Array.from({ length: 12 }, () =>
      reading(async (at) => {
        const rows = await open(at, twoPieces);
        assert.equal(await rows.good(countRows), 120_000);
      }),
    );
    await Promise.all(readers);
  });

  it('never has more of a file on the disk than two pieces of it', () =>
    reading(async (at) => {
      const rows = await open(
        at,
        gzipSync(`{"aText":["${'x'.repeat(1000)}"]}\n`.repeat(100_000), { level: 1 }),
      );
      assert.equal(await rows.good(countRows), 100_000);
      const files = (await readdir(at.folder)).sort();
      assert.deepEqual(files, ['lines-0', 'lines-1', 'part', 'rows', 'rows-0', 'rows-1']);
      for (const name of files) assert.ok((await stat(join(at.folder, name))).size < 17e6, name);
    }));
});

describe('a description of a file', () => {
  it('of JSON lines tells its rows and the fields of the first ones', () =>
    reading(async (at) => {
      const path = join(at.folder, 'part');
      await writeFile(path, gzipSync(`${'{"b":1,"a":null}\n\n{"c":{}}\n[]\nx\n'.repeat(50_000)}{"late":1}`));
      assert.deepEqual(
        await describeFile(at.connection, 'json lines', { path, key: 'k' }, at.folder, at.signal),
        {
          rows: 200_001,
          columns: ['a', 'b', 'c'],
        },
      );
    }));

  it('of an empty file tells that there is nothing', () =>
    reading(async (at) => {
      const path = join(at.folder, 'part');
      await writeFile(path, '');
      assert.deepEqual(
        await describeFile(at.connection, 'json lines', { path, key: 'k' }, at.folder, at.signal),
        {
          rows: 0,
          columns: [],
        },
      );
    }));

  it('of Parquet tells the same', () =>
    reading(async (at) => {
      const path = await writeParquet(at, `select 1 as b, 2 as a from range(3)`);
      assert.deepEqual(
        await describeFile(at.connection, 'parquet', { path, key: 'k' }, at.folder, at.signal),
        {
          rows: 3,
          columns: ['b', 'a'],
        },
      );
    }));
});
