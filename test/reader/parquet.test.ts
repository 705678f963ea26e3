import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Failure } from '../../model/failure.js';
import { copyOut } from '../../reader/copy-out.js';
import { openParquet, unreadable } from '../../reader/parquet.js';
import { reading, textOf, writeParquet, type Reading } from './reading.js';

const key = 'type=events/date=2026-03-01/part-00000.parquet';
const someRows = `select 'id-' || i as uuid, 'https://shop.example/' || i % 100 as referer, i as revenue
  from range(10000) as numbers(i)`;

/** Opens a file and reads all of it, as a step does. */
async function readWhole({ connection, pipe }: Reading, path: string): Promise<string> {
  const { source } = await openParquet(connection, path, key);
  return copyOut(connection, `select * from ${source} order by file_row_number`, pipe, textOf).catch(
    async (error: unknown) => {
      throw await unreadable(connection, error, path, key);
    },
  );
}

const isUnreadable =
  (word: RegExp) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof Failure, String(error));
    assert.equal(error.type, 'FileUnreadable');
    assert.ok(error.message.startsWith(`${key} cannot be read as Parquet: `), error.message);
    assert.match(error.message, word);
    assert.match(
      error.message,
      /It is looked at again until it is written anew or the delivery's deadline passes\.$/,
    );
    assert.doesNotMatch(error.message, /landfall-test-/, "our spool's path says nothing to people");
    return true;
  };

describe('a Parquet file', () => {
  it('tells its rows and columns from its footer', () =>
    reading(async (at) => {
      const path = await writeParquet(at, `select 'a' as uuid, [{'id': '1', 'on': true}] as attributes`);
      const { rows, columns } = await openParquet(at.connection, path, key);
      assert.equal(rows, 1);
      assert.deepEqual(columns, [
        { name: 'uuid', type: 'VARCHAR' },
        { name: 'attributes', type: 'STRUCT(id VARCHAR, "on" BOOLEAN)[]' },
      ]);
    }));

  it('may have columns and no rows', () =>
    reading(async (at) => {
      const path = await writeParquet(at, `select 'a' as uuid where false`);
      assert.equal((await openParquet(at.connection, path, key)).rows, 0);
      assert.equal(await readWhole(at, path), '');
    }));

  for (const version of ['V1', 'V2']) {
    for (const compression of ['uncompressed', 'snappy', 'gzip', 'zstd', 'lz4_raw', 'brotli']) {
      it(`is read whole with pages of version ${version}, ${compression}`, () =>
        reading(async (at) => {
          const path = await writeParquet(
            at,
            someRows,
            `compression ${compression}, parquet_version ${version}, row_group_size 2048`,
          );
          const lines = (await readWhole(at, path)).trimEnd().split('\n');
          assert.equal(lines.length, 10_000);
          assert.equal(lines[9_999], ['id-9999', 'https://shop.example/99', '9999', '9999'].join('\u0002'));
        }));
    }
  }

  for (const name of ['pages-v1', 'pages-v2']) {
    it(`is read whole where its dictionaries overflow into plain pages (${name})`, () =>
      reading(async (at) => {
        const path = fileURLToPath(new URL(`../vendors/optimizely/files/${name}.parquet`, import.meta.url));
        const { source } = await openParquet(at.connection, path, key);
        const visitors = await copyOut(
          at.connection,
          `select visitor_id from ${source} order by file_row_number`,
          at.pipe,
          textOf,
        );
        const expected = Array.from({ length: 3000 }, (_, i) => `visitor-${i >= 1000 ? i : i % 10}\n`);
        assert.equal(visitors, expected.join(''));
      }));
  }

  it('counts its lines from 1, over row groups', () =>
    reading(async (at) => {
      const path = await writeParquet(at, someRows, 'row_group_size 2048');
      const { source, line } = await openParquet(at.connection, path, key);
      const query = `select revenue, ${line} from ${source} where ${line} in (1, 2049, 10000) order by 2`;
      assert.equal(
        await copyOut(at.connection, query, at.pipe, textOf),
        '0\u00021\n2048\u00022049\n9999\u000210000\n',
      );
    }));
});

describe('columns with odd names', () => {
  it('may be called what our own columns are called', () =>
    reading(async (at) => {
      const path = await writeParquet(
        at,
        `select 1 as _line, 2 as export_date, 3 as "a ""b"" 'c'", 4 as line`,
      );
      assert.deepEqual(
        (await openParquet(at.connection, path, key)).columns.map(({ name }) => name),
        ['_line', 'export_date', `a "b" 'c'`, 'line'],
      );
    }));

  for (const [title, other, named] of [
    ['the same name', 'uuid', 'uuid_1'],
    ['a name that differs only in case', 'UUID', 'UUID_1'],
  ] as const) {
    it(`are told apart where two have ${title}`, () =>
      reading(async (at) => {
        const path = await writeParquet(at, `select 'first' as uuid, 'second' as uuix`);
        await replaceBytes(path, 'uuix', other);
        const { columns } = await openParquet(at.connection, path, key);
        assert.deepEqual(
          columns.map(({ name }) => name),
          ['uuid', named],
        );
        assert.equal(await readWhole(at, path), 'first\u0002second\u00020\n');
      }));
  }

  it('make a file unreadable only where one is called file_row_number', () =>
    reading(async (at) => {
      const path = await writeParquet(at, 'select 1 as file_row_number');
      await assert.rejects(readWhole(at, path), isUnreadable(/column named file_row_number/));
    }));
});

describe('what is no whole Parquet file', () => {
  type Damage = (whole: Buffer) => Buffer;
  const damages: readonly [string, Damage, RegExp][] = [
    ['without a byte', () => Buffer.alloc(0), /too small/],
    ['of a few bytes', () => Buffer.from('PAR1'), /too small/],
    ['that is JSON', () => Buffer.from('{"uuid":"a"}\n'.repeat(100)), /No magic bytes/],
    ['that is an error page', () => Buffer.from('<?xml version="1.0"?><Error/>'.repeat(9)), /No magic bytes/],
    ['cut off before its end', (whole) => whole.subarray(0, -10), /No magic bytes/],
    ['cut off in the middle', (whole) => whole.subarray(0, whole.length / 2), /No magic bytes/],
    [
      'whose footer claims to be longer than the file',
      (whole) => patch(whole, -8, 'ffffff7f'),
      /Footer length/,
    ],
    [
      'whose footer is zeros',
      (whole) => patch(whole, -200, '00'.repeat(190)),
      /Footer|TProtocol|Invalid|corrupt/i,
    ],
    ['whose first page is zeros', (whole) => patch(whole, 4, '00'.repeat(60)), /./],
  ];
  for (const compression of ['uncompressed', 'snappy', 'zstd']) {
    for (const [title, damage, word] of damages) {
      it(`is refused as a file ${title} (${compression})`, () =>
        reading(async (at) => {
          const path = await writeParquet(at, someRows, `compression ${compression}`);
          await writeFile(path, damage(await readFile(path)));
          await assert.rejects(readWhole(at, path), isUnreadable(word));
        }));
    }
  }

  it('leaves the reader able to read the next file', () =>
    reading(async (at) => {
      const good = await writeParquet(at, someRows);
      const bad = join(at.folder, 'bad.parquet');
      await writeFile(bad, patch(await readFile(good), 4, '00'.repeat(60)));
      await assert.rejects(readWhole(at, bad));
      assert.equal((await readWhole(at, good)).split('\n').length, 10_001);
    }));

  it('names the column whose text is not UTF-8, and shows nobody the text', () =>
    reading(async (at) => {
      const path = await writeParquet(
        at,
        `select 'a' as uuid, 'plain' as user_ip, [{'value': 'secrét'}] as attributes`,
        'compression uncompressed',
      );
      await replaceBytes(path, 'secr\xc3\xa9t', 'secr\xc3\xc3t');
      await assert.rejects(readWhole(at, path), (error) => {
        assert.doesNotMatch(String(error), /secr/);
        return isUnreadable(/the text of column attributes is not UTF-8\./)(error);
      });
    }));

  it('says what to raise where its pages are larger than the memory of a reader', () =>
    reading(
      async (at) => {
        // DuckDB writes a page of 100 MB where a row group has as much.
        const path = await writeParquet(
          at,
          `select md5(i::varchar) || md5((i + 1)::varchar) as uuid, md5((i + 2)::varchar) || md5(i::varchar) as referer
         from range(1000000) as numbers(i)`,
          'row_group_size 1000000, compression uncompressed',
        );
        await at.connection.run(`set memory_limit = '80MB'`);
        await assert.rejects(readWhole(at, path), (error) => {
          assert.ok(error instanceof Failure && error.type === 'ConfigInvalid', String(error));
          assert.equal(
            error.message,
            `Reading ${key} takes more memory than worker.memoryLimit allows one reader. Raise it, restart the workers, ` +
              `then reprocess the delivery.`,
          );
          return true;
        });
      },
      undefined,
      '1GB',
    ));

  it('is not blamed for faults of another kind', () =>
    reading(async ({ connection, folder }) => {
      const path = join(folder, 'part.parquet');
      for (const fault of [
        new Error('duplicate key value violates unique constraint "part_parquet_pkey"'),
        new Error(`${key}: 3 rows parsed, but 2 loaded and 0 quarantined.`),
        new Error(`IO Error: Could not write file "${folder}/spill": No space left on device`),
        new Error('INTERRUPT Error: Interrupted!'),
        new Failure('LoadSuperseded', 'Load 1 is abandoned.'),
      ]) {
        assert.equal(await unreadable(connection, fault, path, key), fault);
      }
    }));

  it('is not blamed for a spool file that has gone', () =>
    reading(async ({ connection, folder }) => {
      await assert.rejects(
        openParquet(connection, join(folder, 'gone.parquet'), key),
        (error) => !(error instanceof Failure),
      );
    }));
});

function patch(whole: Buffer, at: number, hex: string): Buffer {
  const bytes = Buffer.from(hex, 'hex');
  const copy = Buffer.from(whole);
  bytes.copy(copy, at < 0 ? copy.length + at : at);
  return copy;
}

async function replaceBytes(path: string, from: string, to: string): Promise<void> {
  const bytes = await readFile(path, 'latin1');
  assert.ok(bytes.includes(from));
  await writeFile(path, bytes.replaceAll(from, to), 'latin1');
}
