import assert from 'node:assert/strict';
import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { gzipSync } from 'node:zlib';

import type { FileRows, FileTable } from '../../model/row-text.js';
import { describeFile } from '../../reader/read-file.js';
import { storedTables } from '../../vendors/leanplum/tables.js';
import { openSessions } from './nested-landing.js';
import { reading, textOf, timesOpen, type Reading } from './reading.js';

/** Three pieces, of good and bad lines. */
const lines =
  `{"sessionId":1,"userId":"${'u'.repeat(900)}","states":[{"events":[{},{}],"parameters":{"a":"b"}}]}\n` +
  `{"sessionId":1,"states":[{"events":[{"time":"x"}]}]}\n`;
const pairs = 40_000;
const content = gzipSync(lines.repeat(pairs), { level: 1 });

describe('reading sessions', function () {
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
      const open = async (at: Reading): Promise<FileRows> => {
        const rows = await openSessions(at, content);
        if (of === 'bad') assert.equal(await rows.good(count), pairs);
        return rows;
      };

      it('gives them all, and again', () =>
        inAll(async (at) => {
          const rows = await open(at);
          for (let turn = 0; turn < 2; turn += 1) {
            assert.equal(await rows[of](count), pairs);
            assert.equal(rows.parsed(), 2 * pairs);
            await nothingOpen(at);
          }
        }));

      it('stops with a consumer that never reads, and with one that fails half-way', () =>
        inAll(async (at) => {
          const rows = await open(at);
          for (let turn = 0; turn < 3; turn += 1) {
            await assert.rejects(
              rows[of](() => Promise.reject(new Error('the table is gone'))),
              /the table is gone/,
            );
            await nothingOpen(at);
            let tables = 0;
            await assert.rejects(
              rows[of]((source) =>
                pipeline(source, async (chunks: AsyncIterable<Buffer>) => {
                  tables += 1;
                  for await (const chunk of chunks) {
                    if (of === 'bad' || tables > 2)
                      throw new Error(`the server went away after ${typeof chunk}`);
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
        await inAll(async (at) => {
          const rows = await open(at);
          abort.abort(new Error('the worker stops'));
          await assert.rejects(rows[of](count), /the worker stops|Interrupted/);
          await nothingOpen(at);
        }, abort.signal);
      });
    });
  }

  it('hands over one stream at a time, each of one table, the root before what lies in it', () =>
    inAll(async (at) => {
      const rows = await openSessions(at, content);
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
      assert.deepEqual(
        streams.slice(0, 4),
        ['session', 'state', 'event', 'state_parameter'],
        'and none of a table without rows',
      );
      assert.ok(streams.length >= 8, 'several pieces');
      const each = { session: pairs, state: pairs, event: 2 * pairs, state_parameter: pairs };
      assert.deepEqual(Object.fromEntries(totals), each);
      assert.deepEqual(
        rows.tables.map(({ name }) => name),
        ['session', 'state', 'event', 'event_parameter', 'state_parameter', 'experiment', 'user_attribute'],
      );
    }));

  it('never has more of a file on the disk than two pieces of it', () =>
    inAll(async (at) => {
      const rows = await openSessions(at, content);
      await rows.good(count);
      let bytes = 0;
      for (const name of await readdir(at.folder)) {
        if (name === 'part' || name === 'rows') continue;
        assert.match(name, /^(lines-[01]|rows-[01]-[0-6])$/);
        bytes += (await stat(join(at.folder, name))).size;
      }
      assert.ok(bytes < 4 * 17e6, String(bytes));
    }));

  it('ends as an error where the gzip is damaged after good rows, so that none of them is kept', () =>
    inAll(async (at) => {
      const rows = await openSessions(at, content.subarray(0, -1));
      let bytes = 0;
      const consumed = rows.good(async (source) => {
        for await (const chunk of source as AsyncIterable<Buffer>) bytes += chunk.length;
        return 0;
      });
      await assert.rejects(consumed, { name: 'FileUnreadable' });
      assert.ok(bytes > 0, 'rows came before the error');
      await nothingOpen(at);
    }));

  it('says what to raise where a line takes more memory than a reader has', () =>
    inAll(
      async (at) => {
        const rows = await openSessions(at, `{"sessionId":1,"new":[${'1,'.repeat(7_000_000)}1]}\n`);
        await assert.rejects(rows.good(count), {
          name: 'ConfigInvalid',
          message:
            /^Reading 20261120\/export-7-output-0 takes more memory than worker\.memoryLimit allows one reader\./,
        });
        await nothingOpen(at);
      },
      undefined,
      '64MB',
    ));

  it('is described by its rows and the fields of its first lines', () =>
    inAll(async (at) => {
      const path = join(at.folder, 'part');
      await writeFile(path, content);
      const file = { path, key: 'k' };
      assert.deepEqual(await describeFile(at.connection, 'nested json lines', file, at.folder, at.signal), {
        rows: 2 * pairs,
        columns: ['sessionId', 'states', 'userId'],
      });
    }));
});
