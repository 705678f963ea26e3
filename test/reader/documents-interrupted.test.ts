import assert from 'node:assert/strict';
import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { gzipSync } from 'node:zlib';

import type { FileTable } from '../../model/row-text.js';
import type { DocumentRows } from '../../reader/documents/documents.js';
import { describeFile } from '../../reader/read-file.js';
import { storedTables } from '../../vendors/monetate/tables.js';
import { openVisits } from './documents-landing.js';
import { reading, textOf, timesOpen, type Reading } from './reading.js';

/** Two files, of five pieces, of good and bad lines. */
const lines =
  `{"session_id":1,"guid":"${'u'.repeat(900)}","offers":{"1":1,"2":2},"view_lines":[{}]}\n` +
  `{"session_id":1,"offers":{"1":"x"}}\n`;
const pairs = 40_000;
const contents = [
  gzipSync(lines.repeat(pairs / 4), { level: 1 }),
  gzipSync(lines.repeat((pairs / 4) * 3), { level: 1 }),
];

describe('reading documents', function () {
  this.timeout(120_000);

  const count = async (rows: Readable): Promise<number> => (await textOf(rows)).split('\n').length - 1;
  const nothingOpen = async (at: Reading): Promise<void> => {
    for (const name of await readdir(at.folder)) {
      assert.equal(timesOpen(join(at.folder, name)) ?? 0, 0, `${name} is open`);
    }
  };
  const inAll = (
    work: (at: Reading) => Promise<void>,
    signal = new AbortController().signal,
    memoryLimit = '256MB',
  ): Promise<void> => reading(work, signal, memoryLimit);

  for (const of of ['good', 'bad'] as const) {
    describe(`for its ${of} rows`, () => {
      /** Bad rows are asked for when the good ones have been read. */
      const open = async (at: Reading): Promise<DocumentRows> => {
        const rows = await openVisits(at, contents);
        if (of === 'bad') assert.equal(await rows.good(count), pairs);
        return rows;
      };

      it('gives them all, and again', () =>
        inAll(async (at) => {
          const rows = await open(at);
          for (let turn = 0; turn < 2; turn += 1) {
            assert.equal(await rows[of](count), pairs);
            assert.equal(rows.parsed(), 2 * pairs);
            assert.deepEqual([rows.of('1').loaded, rows.of('2').quarantined], [pairs / 4, (pairs / 4) * 3]);
            await nothingOpen(at);
          }
        }));

      it('stops with a consumer that never reads, and with one that fails half-way', () =>
        inAll(async (at) => {
          const rows = await open(at);
          for (let turn = 0; turn < 2; turn += 1) {
            await assert.rejects(
              rows[of](() => Promise.reject(new Error('the table is gone'))),
              /the table is gone/,
            );
            await nothingOpen(at);
            if (of === 'bad') continue;
            let tables = 0;
            await assert.rejects(
              rows[of]((source) =>
                pipeline(source, async (chunks: AsyncIterable<Buffer>) => {
                  tables += 1;
                  for await (const chunk of chunks) {
                    if (tables > 2) throw new Error(`the server went away after ${typeof chunk}`);
                  }
                  return 0;
                }),
              ),
              /the server went away/,
            );
            await nothingOpen(at);
          }
          assert.equal(await rows[of](count), pairs);
        }));

      it('stops when the step is aborted, whatever reads it', async () => {
        const abort = new AbortController();
        await inAll(async (at) => {
          const rows = await open(at);
          const read = rows[of](async (source) => {
            for await (const chunk of source) {
              if (chunk !== undefined) abort.abort(new Error('the worker stops'));
            }
            abort.signal.throwIfAborted();
            return 0;
          });
          await assert.rejects(read, /the worker stops|Interrupted/);
          await nothingOpen(at);
        }, abort.signal);
      });

      it('stops when the step is aborted before it begins', async () => {
        const abort = new AbortController();
        await inAll(async (at) => {
          const rows = await open(at);
          abort.abort(new Error('the worker stops'));
          await assert.rejects(rows[of](count), /the worker stops|Interrupted/);
          await nothingOpen(at);
        }, abort.signal);
      });
    });
  }

  it('leaves the connection free for the next when it is interrupted', async () => {
    const abort = new AbortController();
    await inAll(async (at) => {
      const rows = await openVisits({ ...at, signal: abort.signal }, contents);
      const read = rows.good(async (source) => {
        source.once('data', () => abort.abort(new Error('the worker stops')));
        return count(source);
      });
      await assert.rejects(read, /the worker stops|Interrupted/);
      await nothingOpen(at);
      assert.equal(await (await openVisits(at, contents)).good(count), pairs);
    });
  });

  it('hands over one stream at a time, each of one table, the root before what lies in it', () =>
    inAll(async (at) => {
      const rows = await openVisits(at, contents);
      const streams: string[] = [];
      const totals = new Map<string, number>();
      let open = 0;
      const taken = await rows.good(async (source, { name, columns }: FileTable) => {
        assert.equal((open += 1), 1);
        const table = storedTables.find((stored) => stored.name === name);
        const expected = [
          ...(table?.columns.map((column) => column.name) ?? []),
          '_file_id',
          '_line',
          '_extra',
        ];
        assert.deepEqual([...columns].sort(), expected.sort());
        const number = await count(source);
        totals.set(name, (totals.get(name) ?? 0) + number);
        streams.push(name);
        open -= 1;
        return number;
      });
      assert.equal(taken, pairs);
      assert.deepEqual(streams.slice(0, 4), ['session', 'session_offer', 'session_view_line', 'session']);
      assert.ok(streams.length >= 9, 'several pieces');
      assert.deepEqual(Object.fromEntries(totals), {
        session: pairs,
        session_offer: 2 * pairs,
        session_view_line: pairs,
      });
      assert.deepEqual(
        rows.tables.map(({ name }) => name),
        storedTables.map(({ name }) => name),
      );
    }));

  it('never has more of its files on the disk than two pieces of them, and what is bad as small as it came', () =>
    inAll(async (at) => {
      const rows = await openVisits(at, contents);
      await rows.good(count);
      let bytes = 0;
      for (const name of await readdir(at.folder)) {
        if (name === 'files' || name === 'rows') continue;
        assert.match(name, /^(lines-[01]|rows-[01]-[0-7]|bad)$/);
        bytes += (await stat(join(at.folder, name))).size;
      }
      assert.ok(bytes < 4 * 17e6, String(bytes));
      assert.ok((await stat(join(at.folder, 'bad'))).size < 1e6);
    }));

  it('says what to raise where a line takes more memory than a reader has', () =>
    inAll(
      async (at) => {
        const rows = await openVisits(at, [`{"session_id":1,"new":[${'1,'.repeat(7_000_000)}1]}\n`, '{}\n']);
        await assert.rejects(rows.good(count), {
          name: 'ConfigInvalid',
          message:
            /^Reading 2026\/11\/20\/1 and 1 files after it takes more memory than worker\.memoryLimit allows one reader\./,
        });
        await nothingOpen(at);
      },
      undefined,
      '64MB',
    ));

  it('is described by its rows and the fields of its first lines', () =>
    inAll(async (at) => {
      const path = join(at.folder, 'part');
      await writeFile(path, contents[0]!);
      assert.deepEqual(
        await describeFile(at.connection, 'documents', { path, key: 'k' }, at.folder, at.signal),
        { rows: pairs / 2, columns: ['guid', 'offers', 'session_id', 'view_lines'] },
      );
    }));
});
