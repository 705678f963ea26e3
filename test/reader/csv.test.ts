import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';

import fc from 'fast-check';
import type pg from 'pg';

import { testDatabase, type TestDatabase } from '../support/postgres.js';
import { connect, constants, type Landed } from './landing.js';
import { csv, landSayings, said, unreadable } from './sayings.js';

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
    landSayings(client, content, memoryLimit);

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
      await assert.rejects(land('says,aFlag\nx,true\n'), unreadable(word));
      await assert.rejects(land('says,aFlag'), unreadable(word));
    });

    it('nor with one twice, with a faulty header, or one that is no text', async () => {
      await assert.rejects(
        land('sayingId,says,Says\n1,x,y\n'),
        unreadable('its header has the column Says twice.'),
      );
      await assert.rejects(
        land('sayingId,"says\n1,x\n'),
        unreadable('its header is faulty: the quote of field 2 is not closed.'),
      );
      await assert.rejects(
        land(Buffer.from('sayingId,s\xe4gt\n', 'latin1')),
        unreadable('its header is not text in UTF-8.'),
      );
      await assert.rejects(
        land('sayingId,says\r1,x\r'),
        unreadable('its header is faulty: a carriage return stands within field 2, which is not in quotes.'),
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
});

function quoted(value: string): string {
  return `"${value.replaceAll('"', '""')}"`;
}
