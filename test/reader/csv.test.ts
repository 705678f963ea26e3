import assert from 'node:assert/strict';
import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { gzipSync } from 'node:zlib';

import fc from 'fast-check';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';

import { rowTextOfPostgres } from '../../model/row-text.js';
import { describeFile, readFile } from '../../reader/read-file.js';
import { csvFiles } from '../../vendors/leanplum/csv.js';
import type { Column, CsvFile, FileShape } from '../../vendors/table.js';
import { testDatabase, type TestDatabase } from '../support/postgres.js';
import { connect, constants, type Landed } from './landing.js';
import { reading, textOf, timesOpen } from './reading.js';

const columns: readonly Column[] = [
  { name: 'id', type: 'bigint', field: 'id' },
  { name: 'says', type: 'text', field: 'says' },
  { name: 'a_number', type: 'double precision', field: 'aNumber' },
  { name: 'a_flag', type: 'boolean', field: 'aFlag' },
  { name: 'an_instant', type: 'timestamptz', field: 'anInstant' },
];
const file: CsvFile = {
  table: 'sayings',
  headers: { id: 'sayingId', says: 'says', a_number: 'aNumber', a_flag: 'aFlag', an_instant: 'start' },
  required: ['id'],
};
const shape: FileShape = { format: 'csv', file, columns };

describe('a CSV file', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  let client: pg.Client;
  before(async () => {
    database = await testDatabase();
    client = await connect(database.url);
  });
  after(async () => {
    await client.end();
    await database.drop();
  });

  const land = (content: string | Buffer, memoryLimit?: string): Promise<Landed> =>
    reading(
      async (at) => {
        const path = join(at.folder, 'part');
        await writeFile(path, content);
        const rows = await readFile(
          at.connection,
          shape,
          { path, key: 'output-3' },
          constants,
          at,
          at.signal,
        );
        const [table, ...more] = rows.tables;
        assert.deepEqual([table.name, more], ['sayings', []]);
        await client.query(`
          drop table if exists landed, quarantine;
          create table landed (id bigint, says text, a_number float8, a_flag boolean, an_instant timestamptz,
            _file_id bigint not null, _line bigint primary key, _extra jsonb);
          create table quarantine (load_id bigint, file_id bigint, line bigint primary key, reason text not null,
            raw text not null)`);
        const into = (target: string) => async (source: Readable) => {
          const copy = client.query(copyFrom(`copy ${target} from stdin (${rowTextOfPostgres})`));
          await pipeline(source, copy);
          return copy.rowCount;
        };
        await rows.good(into(`landed (${table.columns.join(', ')})`));
        await rows.bad(into('quarantine'));
        const loaded = await client.query<Record<string, string | null>>(
          `select id::text, says, a_number::text, a_flag::text, an_instant::text, _line::text, _extra::text,
             _file_id::text from landed l order by l._line`,
        );
        const bad = await client.query<{ line: string; reason: string; raw: string }>(
          'select line, reason, raw from quarantine order by line',
        );
        const landed = {
          parsed: rows.parsed(),
          rows: loaded.rows,
          bad: bad.rows.map((row) => ({ ...row, line: Number(row.line) })),
        };
        assert.equal(landed.parsed, landed.rows.length + landed.bad.length);
        return landed;
      },
      undefined,
      memoryLimit,
    );

  /** Line and what is said of the rows that were loaded, and line and reason of the others. */
  const said = ({ rows }: Landed): [number, string | null | undefined][] =>
    rows.map((row) => [Number(row['_line']), row['says']]);
  const faults = ({ bad }: Landed): [number, string][] => bad.map(({ line, reason }) => [line, reason]);
  const csv = (...lines: string[]): string => ['sayingId,says', ...lines, ''].join('\n');
  const unreadable = (content: string | Buffer, word: string): Promise<void> =>
    assert.rejects(land(content), {
      name: 'FileUnreadable',
      message:
        `output-3 cannot be read as CSV: ${word} It is looked at again until it is written anew or the delivery's ` +
        `deadline passes.`,
    });

  describe('gives the table its columns by header', () => {
    it('of every type, with the file and the line', async () => {
      const landed = await land(
        'sayingId,says,aNumber,aFlag,start\n9007199254740993,"é 😀",0.1,True,2026-03-01 12:00:00.5\n',
      );
      assert.deepEqual(landed.rows, [
        {
          ...{ id: '9007199254740993', says: 'é 😀', a_number: '0.1', a_flag: 'true' },
          ...{ an_instant: '2026-03-01 12:00:00.5+00', _line: '2', _extra: null },
          _file_id: constants.fileId,
        },
      ]);
    });

    for (const header of [
      'says,aFlag,sayingId',
      ' SAYS ,"AFLAG",sayingid',
      '\ufeffsays,"aFlag","SayingId"',
    ]) {
      it(`without regard to case or order, as ${JSON.stringify(header)}`, async () => {
        const landed = await land(`${header}\nx,false,-7\n`);
        assert.deepEqual(landed.bad, []);
        const { id, says, a_flag, a_number, _extra } = landed.rows[0] ?? {};
        assert.deepEqual([id, says, a_flag, a_number, _extra], ['-7', 'x', 'false', null, null]);
      });
    }

    it('and keeps what the table has no column for as texts, unless they are empty', async () => {
      const landed = await land(
        'sayingId,New,says,"a ""b"", \'c\'"\n1,9007199254740993,x,"y\nz"\n2,"",x,\n3,NaN,x,"{}"\n',
      );
      assert.deepEqual(
        landed.rows.map(({ _extra }) => (_extra === null ? null : (JSON.parse(_extra ?? '') as unknown))),
        [{ New: '9007199254740993', 'a "b", \'c\'': 'y\nz' }, null, { New: 'NaN', 'a "b", \'c\'': '{}' }],
      );
    });

    it('and cannot be read without one that every row needs, whatever its rows are', async () => {
      const word = 'its header has no column sayingId, which every row needs.';
      await unreadable('says,aFlag\nx,true\n', word);
      await unreadable('says,aFlag', word);
    });

    it('nor with one twice, with a faulty header, or one that is no text', async () => {
      await unreadable('sayingId,says,Says\n1,x,y\n', 'its header has the column Says twice.');
      await unreadable('sayingId,"says\n1,x\n', 'its header is faulty: the quote of field 2 is not closed.');
      await unreadable(Buffer.from('sayingId,s\xe4gt\n', 'latin1'), 'its header is not text in UTF-8.');
      await unreadable(
        'sayingId,says\r1,x\r',
        'its header is faulty: a carriage return stands within field 2, which is not in quotes.',
      );
    });
  });

  describe('has values', () => {
    const values: readonly (readonly [field: string, expected: string | null])[] = [
      ['', null],
      ['""', ''],
      ['x', 'x'],
      [' x ', ' x '],
      ['"a, b"', 'a, b'],
      ['"a ""b"""', 'a "b"'],
      ['""""', '"'],
      ['"two\nlines"', 'two\nlines'],
      ['"two\r\nlines\r"', 'two\r\nlines\r'],
      ['"\n"', '\n'],
      ['NULL', 'NULL'],
      ['\\N', '\\N'],
      ['\\', '\\'],
      ["it's", "it's"],
      ['#x', '#x'],
      ['a;b\tc|d', 'a;b\tc|d'],
      ['\u0001\u0002\u001f\u007f', '\u0001\u0002\u001f\u007f'],
      ['\ufeff', '\ufeff'],
    ];
    for (const [field, expected] of values) {
      it(`such as ${JSON.stringify(field)}`, async () => {
        for (const lineBreak of ['\n', '\r\n']) {
          const landed = await land(['sayingId,says', `1,${field}`, '2,y'].join(lineBreak));
          assert.deepEqual(landed.bad, []);
          assert.deepEqual(
            landed.rows.map(({ id, says }) => [id, says]),
            [
              ['1', expected],
              ['2', 'y'],
            ],
          );
        }
      });
    }

    it('that are null for any other type than text, in quotes or not, when they are empty', async () => {
      const landed = await land('sayingId,aNumber,aFlag,start\n1,,,\n2,"","",""\n3,"1.5","false","0"\n');
      assert.deepEqual(landed.bad, []);
      assert.deepEqual(
        landed.rows.map(({ a_number, a_flag }) => [a_number, a_flag]),
        [
          [null, null],
          [null, null],
          ['1.5', 'false'],
        ],
      );
    });

    it('of 10 MB, in quotes or not, with line breaks or not', async () => {
      const long = 'x'.repeat(10_000_000);
      const wide = 'two "lines"\n'.repeat(800_000);
      const landed = await land(
        csv('1,y', `2,${long}`, `3,"${long}"`, `4,"${wide.replaceAll('"', '""')}"`, '5,z'),
        '256MB',
      );
      assert.deepEqual(landed.bad, []);
      const same = landed.rows.map(({ says }) => ['y', long, wide, 'z'].indexOf(says ?? ''));
      assert.deepEqual(same, [0, 1, 1, 2, 3]);
      assert.equal(landed.rows[4]?.['_line'], '800006');
    });

    it('that come out as they went in, whatever they are', async () => {
      const text = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', ' ', '\\', 'é', "'") });
      const record = fc.tuple(fc.option(text), fc.boolean());
      await fc.assert(
        fc.asyncProperty(
          fc.array(record, { minLength: 1, maxLength: 50 }),
          fc.constantFrom('\n', '\r\n'),
          async (records, lineBreak) => {
            const written = records.map(([value, always], index) => {
              const needed = value !== null && (value === '' || /[",\r\n]/.test(value));
              return `${index},${always || needed ? quoted(value ?? 'null') : (value ?? '')}${lineBreak}`;
            });
            const landed = await land(`sayingId,says${lineBreak}${written.join('')}`);
            assert.deepEqual(landed.bad, []);
            assert.deepEqual(
              landed.rows.map(({ says }) => says),
              records.map(([value, always]) => value ?? (always ? 'null' : null)),
            );
          },
        ),
        { numRuns: 40 },
      );
    });
  });

  describe('counts records, and lines as an editor does', () => {
    const files: readonly [what: string, content: string, lines: number[]][] = [
      ['without a byte', '', []],
      ['of blank lines', '\n \r\n\n', []],
      ['of a byte order mark', '\ufeff', []],
      ['of a header', 'sayingId,says\n', []],
      ['of a header without a line break', 'sayingId,says', []],
      ['with blank lines', '\n\nsayingId,says\n\n1,x\n \t\n\n2,y\n\n', [5, 8]],
      ['with the line ends of Windows', 'sayingId,says\r\n1,x\r\n\r\n2,y\r\n', [2, 4]],
      ['with a mixture of line ends', 'sayingId,says\n1,x\r\n2,y\n', [2, 3]],
      ['without a line break at the end', 'sayingId,says\n1,x\n2,y', [2, 3]],
      ['with half a line break at the end', 'sayingId,says\r\n1,x\r\n2,y\r', [2, 3]],
      ['with a byte order mark', '\ufeffsayingId,says\n1,x\n2,y\n', [2, 3]],
      ['with line breaks in values', 'sayingId,"more\nlines",says\n1,"a\n\nb",x\n2,,y\n', [3, 6]],
    ];
    for (const [what, content, lines] of files) {
      for (const [as, bytes] of [
        ['plain', Buffer.from(content)],
        ['gzip', gzipSync(content)],
      ] as const) {
        it(`of a file ${what} (${as})`, async () => {
          const landed = await land(bytes);
          assert.deepEqual(landed.bad, []);
          assert.deepEqual(
            said(landed),
            lines.map((line, index) => [line, index === 0 ? 'x' : 'y']),
          );
        });
      }
    }

    it('over pieces, of good and of bad rows', async () => {
      const landed = await land(gzipSync(csv('1,"x\n\ny"\nz\n\n2,y\n'.repeat(120_000))));
      assert.equal(landed.parsed, 360_000);
      assert.ok(
        said(landed).every(([line], index) => line === 2 + Math.floor(index / 2) * 6 + (index % 2) * 5),
      );
      assert.ok(landed.bad.every(({ line, raw }, index) => line === 5 + index * 6 && raw === 'z'));
    });
  });

  describe('keeps bad rows, with the line they begin on, the reason and the row as it came:', () => {
    it('with too few or too many fields', async () => {
      const landed = await land(csv('1,x', '2', '3,"a",b,', '4,y'));
      assert.deepEqual(landed.bad, [
        { line: 3, reason: 'the header has 2 fields, and the row has 1', raw: '2' },
        { line: 4, reason: 'the header has 2 fields, and the row has 4', raw: '3,"a",b,' },
      ]);
      assert.deepEqual(said(landed), [
        [2, 'x'],
        [5, 'y'],
      ]);
    });

    it('with values that cannot be typed, in the words of the header, over all their lines', async () => {
      const landed = await land(
        'says,sayingId,aFlag\n"two\nlines",x1,true\ny,12.5,true\nz,3,perhaps\nok,4,true\n',
      );
      assert.deepEqual(landed.bad, [
        { line: 2, reason: 'sayingId is not a whole number of 64 bits: x1', raw: '"two\nlines",x1,true' },
        { line: 4, reason: 'sayingId is not a whole number of 64 bits: 12.5', raw: 'y,12.5,true' },
        { line: 5, reason: 'aFlag is not true or false: perhaps', raw: 'z,3,perhaps' },
      ]);
      assert.deepEqual(said(landed), [[6, 'ok']]);
    });

    it('without a value that every row needs', async () => {
      const landed = await land(csv(',x', '"",y', '3,z'));
      assert.deepEqual(faults(landed), [
        [2, 'sayingId is missing'],
        [3, 'sayingId is missing'],
      ]);
    });

    it('that are not UTF-8, or hold NUL: bytes that are no text are written out', async () => {
      const content = Buffer.from(csv('1,x', '2,M\xfcnchen \\o/', '3,a\0b', '"4,\xff', '5,y'), 'latin1');
      const landed = await land(content);
      const how = '; backslashes and bytes that are no text are written as \\xHH';
      assert.deepEqual(landed.bad, [
        { line: 3, reason: `the row is not UTF-8${how}`, raw: '2,M\\xfcnchen \\x5co/' },
        { line: 4, reason: `the row holds the character NUL${how}`, raw: '3,a\\x00b' },
        { line: 5, reason: `the quote of field 1 is not closed${how}`, raw: '"4,\\xff' },
      ]);
      assert.deepEqual(said(landed), [
        [2, 'x'],
        [6, 'y'],
      ]);
    });

    it('whose line is longer than a row may be, of which the first megabyte is kept', async () => {
      const long = 'x'.repeat(30_000_000);
      const reason = 'the line is longer than 16000000 bytes, of which the first 1000000 are kept';
      for (const row of [`1,${long}`, `1,"${long}"`, `1,x"${long}`]) {
        const landed = await land(csv('0,x', row, '2,y'));
        assert.deepEqual(faults(landed), [[3, reason]]);
        assert.equal(landed.bad[0]?.raw, row.slice(0, 1_000_000));
        assert.deepEqual(said(landed), [
          [2, 'x'],
          [4, 'y'],
        ]);
      }
    });
  });

  describe('goes on at the next line after a fault in its quotes, so that no other row is lost:', () => {
    const faulty: readonly [what: string, lines: string[], bad: [number, string][]][] = [
      [
        'a quote within a value',
        ['2,a "b" c'],
        [[3, 'a quote stands within field 2, which is not in quotes']],
      ],
      ['text after a quote', ['2,"a" b'], [[3, 'field 2 goes on after its closing quote']]],
      ['a space before a quote', ['2, "a"'], [[3, 'a quote stands within field 2, which is not in quotes']]],
      [
        'a carriage return',
        ['2,a\rb'],
        [[3, 'a carriage return stands within field 2, which is not in quotes']],
      ],
      [
        'a quote that the next value in quotes closes',
        ['2,"a', '3,b', '4,"c"'],
        [[3, 'field 2 goes on after its closing quote']],
      ],
      [
        'a quote that a value in quotes closes which begins with a comma',
        ['2,"a', '3,b', '4,",c"'],
        [[3, 'a quote stands within field 3, which is not in quotes']],
      ],
      [
        'a quote that joins lines into too many fields',
        ['2,"a', '3,b",c'],
        [
          [3, 'the header has 2 fields, and with the lines that its quotes join the row has 3'],
          [4, 'a quote stands within field 2, which is not in quotes'],
        ],
      ],
      [
        'a faulty row of several lines, whose other lines are bad rows too',
        ['2,"a', 'b', 'c" d'],
        [
          [3, 'field 2 goes on after its closing quote'],
          [4, 'the header has 2 fields, and the row has 1'],
          [5, 'a quote stands within field 1, which is not in quotes'],
        ],
      ],
    ];
    for (const [what, lines, bad] of faulty) {
      it(what, async () => {
        const landed = await land(csv('1,x', ...lines, '9,"y"', '10,z'));
        assert.deepEqual(faults(landed), bad);
        const missed = new Set(bad.map(([line]) => line));
        const sound = landed.rows.map(({ _line }) => Number(_line));
        assert.ok(sound.every((line) => !missed.has(line)));
        assert.deepEqual(
          said(landed)
            .slice(-2)
            .map(([, says]) => says),
          ['y', 'z'],
        );
        assert.equal(said(landed)[0]?.[1], 'x');
        for (const { line, raw } of landed.bad) {
          assert.equal(raw, csv('1,x', ...lines).split('\n')[line - 1], 'the first line alone');
        }
      });
    }

    it('a quote that is never closed', async () => {
      const landed = await land(csv('1,"x', '2,y', '3,z'));
      assert.deepEqual(faults(landed), [[2, 'the quote of field 2 is not closed']]);
      assert.deepEqual(said(landed), [
        [3, 'y'],
        [4, 'z'],
      ]);
    });

    it('a quote that is not closed within 16 MB', async () => {
      const landed = await land(csv('1,"x', `2,${'x'.repeat(120)}\n`.repeat(150_000)));
      assert.deepEqual(faults(landed), [[2, 'its quotes join more than 16000000 bytes of lines']]);
      assert.equal(landed.rows.length, 150_000);
    });

    it('at any place: every other row is there', async () => {
      const sound = Array.from({ length: 12 }, (_, i) => `${i},${i % 3 ? `v${i}` : `"v ""${i}"", and"`}`);
      for (const fault of ['"', '1,"x', '1,x"', '1,"a"b', 'x', '1,2,3', '1,""x"', '1,"""x']) {
        for (const at of sound.keys()) {
          const landed = await land(csv(...sound.with(at, fault)));
          assert.deepEqual(
            landed.bad.map(({ line, raw }) => [line, raw]),
            [[at + 2, fault]],
          );
        }
      }
    });
  });

  describe('is no whole file', () => {
    const word = 'it ends in the middle of a row.';
    it('where it is plain and ends within quotes or lacks fields, without a line break', async () => {
      for (const end of ['2,"a', '2,"a\nb', '2,"', '2']) {
        await unreadable(`sayingId,says\n1,x\n${end}`, word);
      }
    });

    it('unless a fault further up explains it: then the last row is as sound as any', async () => {
      for (const end of ['2,"a\n3,y', '2,"a\n3,"y"']) {
        const landed = await land(`sayingId,says\n1,x\n${end}`);
        assert.deepEqual(
          landed.bad.map(({ line }) => line),
          [3],
        );
        assert.deepEqual(said(landed).at(-1), [4, 'y']);
      }
    });

    it('and with a line break the last row is a bad one', async () => {
      for (const end of ['2,"a\n', '2\n', '2,"a" b']) {
        const landed = await land(`sayingId,says\n1,x\n${end}`);
        assert.deepEqual(
          landed.bad.map(({ line }) => line),
          [3],
        );
      }
    });

    it('but gzip that is whole ends as its writer meant it', async () => {
      const landed = await land(gzipSync('sayingId,says\n1,x\n2,"a'));
      assert.deepEqual(faults(landed), [[3, 'the quote of field 2 is not closed']]);
    });

    it('where its gzip is cut off', async () => {
      const whole = gzipSync(csv(...Array.from({ length: 50_000 }, (_, i) => `${i},${Math.sin(i)}`)));
      await unreadable(whole.subarray(0, -9), 'its gzip is cut off before its end.');
      await unreadable(whole.subarray(0, 9_000), 'its gzip is cut off before its end.');
    });
  });

  it('is described by its rows and the names in its header', () =>
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

  it('of Leanplum gives each table the columns that it has headers for, and no others', () =>
    reading(async (at) => {
      const path = join(at.folder, 'part');
      await writeFile(path, '');
      const given = { name: 'name', type: 'text', field: 'name' } as const;
      const rows = await readFile(
        at.connection,
        {
          format: 'csv',
          file: csvFiles.eventparameters,
          columns: [
            { name: 'event_id', type: 'bigint', field: 'eventId' },
            given,
            { ...given, name: 'value', field: 'value' },
          ],
        },
        { path, key: 'k' },
        constants,
        at,
        at.signal,
      );
      assert.deepEqual(rows.tables, [
        { name: 'event_parameter', columns: ['_file_id', '_line', 'event_id', 'name', 'value', '_extra'] },
      ]);
    }));

  describe('while it is read', () => {
    const many = gzipSync(csv('1,x\nx\n'.repeat(200_000)), { level: 1 });
    const count = async (rows: Readable): Promise<number> => (await textOf(rows)).split('\n').length - 1;

    it('never has more of itself on the disk than two pieces, and can be read again', () =>
      reading(async (at) => {
        const path = join(at.folder, 'part');
        await writeFile(path, gzipSync(csv(`1,${'x'.repeat(300)}\nx\n`.repeat(100_000))));
        const rows = await readFile(at.connection, shape, { path, key: 'k' }, constants, at, at.signal);
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
          const rows = await readFile(at.connection, shape, { path, key: 'k' }, constants, at, at.signal);
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
        const rows = await readFile(at.connection, shape, { path, key: 'k' }, constants, at, at.signal);
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

function quoted(value: string): string {
  return `"${value.replaceAll('"', '""')}"`;
}
