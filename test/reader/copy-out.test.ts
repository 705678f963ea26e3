import assert from 'node:assert/strict';
import { pipeline } from 'node:stream/promises';

import { copyOut } from '../../reader/copy-out.js';
import { reading, textOf, timesOpen } from './reading.js';
import { skip } from '../support/skip.js';

const threadsForFiles = 4;
const endless = 'select i, repeat(i::varchar, 20) from range(1000000000000) as numbers(i)';
const failsBeforeItOpensThePipe = 'select * from no_such_table';
const failsHalfWay = `select case when i = 400000 then error('half-way') else i::varchar end
  from range(500000) as numbers(i)`;

describe('rows through a pipe', function () {
  this.timeout(60_000);

  it('come as CSV with control characters for separators, in which NULL is an empty field and an empty text is quoted', () =>
    reading(async ({ connection, pipe }) => {
      const query = `select * from (values
        (1, null, ''), (2, '{"a": "b, c"}', e'two\\nlines'), (3, '\\.', 'é😀'), (4, chr(1), chr(2)))`;
      const text = await copyOut(connection, query, pipe, textOf);
      assert.equal(
        text.replaceAll('\u0001', '«').replaceAll('\u0002', '|'),
        '1||««\n2|{"a": "b, c"}|«two\nlines«\n3|\\.|é😀\n4|««««|«|«\n',
      );
    }));

  it('are none where the query gives none', () =>
    reading(async ({ connection, pipe }) => {
      assert.equal(await copyOut(connection, 'select 1 where false', pipe, textOf), '');
    }));

  it('end with the error of a query that cannot begin', () =>
    reading(async ({ connection, pipe }) => {
      await assert.rejects(copyOut(connection, failsBeforeItOpensThePipe, pipe, textOf), /no_such_table/);
    }));

  it('end with the error of a query that fails half-way, so that a short file never looks like a whole one', () =>
    reading(async ({ connection, pipe }) => {
      let bytes = 0;
      const consumed = copyOut(connection, failsHalfWay, pipe, async (rows) => {
        for await (const chunk of rows as AsyncIterable<Buffer>) bytes += chunk.length;
      });
      await assert.rejects(consumed, /half-way/);
      assert.ok(bytes > 0, 'rows came before the error');
    }));

  it('stop with a consumer that never reads, and throw its error', () =>
    reading(async ({ connection, pipe }) => {
      const refuse = (): Promise<void> => Promise.reject(new Error('the table is gone'));
      await assert.rejects(copyOut(connection, endless, pipe, refuse), /the table is gone/);
    }));

  it('stop with a consumer that fails half-way, and throw its error', () =>
    reading(async ({ connection, pipe }) => {
      const consumed = copyOut(connection, endless, pipe, (rows) =>
        pipeline(rows, async function (chunks) {
          for await (const chunk of chunks) throw new Error(`the server went away after ${typeof chunk}`);
        }),
      );
      await assert.rejects(consumed, /the server went away/);
    }));

  it('fail when the step is aborted', async () => {
    const abort = new AbortController();
    await reading(async ({ connection, pipe }) => {
      const consumed = copyOut(connection, endless, pipe, async (rows) => {
        for await (const chunk of rows) if (chunk !== undefined) abort.abort();
      });
      await assert.rejects(consumed, /Interrupted/);
    }, abort.signal);
  });

  it('are not begun by a step that is aborted already', async () => {
    await assert.rejects(
      reading(() => Promise.resolve(), AbortSignal.abort(new Error('the worker stops'))),
      /the worker stops/,
    );
  });

  it('are only those of the present query, whatever the earlier ones of the pipe came to', () =>
    reading(async ({ connection, pipe }) => {
      for (let turn = 0; turn < 5; turn += 1) {
        await assert.rejects(copyOut(connection, failsHalfWay, pipe, textOf));
        await assert.rejects(copyOut(connection, failsBeforeItOpensThePipe, pipe, textOf));
        await assert.rejects(copyOut(connection, endless, pipe, () => Promise.reject(new Error('no'))));
        assert.equal(await copyOut(connection, `select ${turn}`, pipe, textOf), `${turn}\n`);
      }
    }));

  it('come for more readers at the same time than Node has threads for files', async () => {
    const readers = Array.from({ length: 3 * threadsForFiles }, (_, number) =>
      reading(({ connection, pipe }) =>
        copyOut(connection, `select ${number} from range(20000)`, pipe, textOf),
      ),
    );
    const texts = await Promise.all(readers);
    texts.forEach((text, number) => assert.equal(text, `${number}\n`.repeat(20_000)));
  });

  it('stop also where the query still waits for a thread', async () => {
    const readers = Array.from({ length: 3 * threadsForFiles }, () =>
      reading(({ connection, pipe }) =>
        assert.rejects(
          copyOut(connection, endless, pipe, () => Promise.reject(new Error('no'))),
          /^Error: no$/,
        ),
      ),
    );
    await Promise.all(readers);
  });

  it('leave no file open', async function () {
    if (timesOpen('/') === undefined) return skip(this, 'this system does not tell which files are open.');
    for (const query of [failsBeforeItOpensThePipe, failsHalfWay, 'select 1']) {
      await reading(async ({ connection, pipe }) => {
        for (let turn = 0; turn < 10; turn += 1) {
          await copyOut(connection, query, pipe, textOf).catch(() => undefined);
          await copyOut(connection, query, pipe, () => Promise.reject(new Error('no'))).catch(
            () => undefined,
          );
        }
        assert.equal(timesOpen(pipe), 0);
        await copyOut(connection, 'select 1', pipe, (rows) => {
          assert.ok((timesOpen(pipe) ?? 0) > 0, 'an open one would be seen');
          return textOf(rows);
        });
      });
    }
  });
});
