import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import fc from 'fast-check';
import type pg from 'pg';

import { Failure } from '../../model/failure.js';
import type { Table } from '../../vendors/table.js';
import { testDatabase, type TestDatabase } from '../support/postgres.js';
import { connect, everyType, landFile, type Landed } from './landing.js';
import { reading } from './reading.js';

const noKey: Table = { ...everyType, key: '_line', ofFile: ['export_date'] };
const key = 'metrics-day-2022-03-21.json.gz';

describe('lines that are no rows', function () {
  this.timeout(120_000);
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
        return landFile(at, client, { format: 'json lines', table: noKey }, path, key);
      },
      undefined,
      memoryLimit,
    );
  const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
  const escapes = 'backslashes and bytes that are no text are written as \\xHH';

  describe('are kept with line, reason and text', () => {
    const cases: readonly [what: string, line: Buffer, reason: string, raw: string][] = [
      ['broken JSON', bytes('{"aText": x}'), 'the line is not JSON', '{"aText": x}'],
      ['two objects', bytes('{"a":1} {"a":2}'), 'the line is not JSON', '{"a":1} {"a":2}'],
      ['blanks and then no JSON', bytes(' \t x'), 'the line is not JSON', ' \t x'],
      ['half a pair of surrogates', bytes('{"a":"\\ud800"}'), 'the line is not JSON', '{"a":"\\ud800"}'],
      ['a raw control character', bytes('{"a":"\x01\x02"}'), 'the line is not JSON', '{"a":"\x01\x02"}'],
      ['a carriage return within', bytes('{"a":"\r"}\r'), 'the line is not JSON', '{"a":"\r"}'],
      ['an array', bytes('[{"aText":"x"}]'), 'the line is JSON, but no object', '[{"aText":"x"}]'],
      ['a text', bytes('"x"'), 'the line is JSON, but no object', '"x"'],
      ['a number', bytes('12'), 'the line is JSON, but no object', '12'],
      ['null', bytes('null'), 'the line is JSON, but no object', 'null'],
      [
        'bytes that are no UTF-8',
        Buffer.concat([bytes('{"a":"\xff\xc3'), Buffer.from('é\\n😀'), bytes('\xe2\x82"}')]),
        `the line is not UTF-8; ${escapes}`,
        '{"a":"\\xff\\xc3é\\x5cn😀\\xe2\\x82"}',
      ],
      ['NUL', bytes('{"a":"\0"}'), `the line holds the character NUL; ${escapes}`, '{"a":"\\x00"}'],
      ['NULs', bytes('\0\0'), `the line holds the character NUL; ${escapes}`, '\\x00\\x00'],
    ];
    for (const [what, line, reason, raw] of cases) {
      it(`such as one of ${what}`, async () => {
        const around = Buffer.from('{"aText":"x"}\n');
        const { parsed, rows, bad } = await land(Buffer.concat([around, line, Buffer.from('\n'), around]));
        assert.deepEqual(bad, [{ line: 2, reason, raw }]);
        assert.deepEqual(
          rows.map((row) => row['_line']),
          ['1', '3'],
        );
        assert.equal(parsed, 3);
      });
    }

    it('and as the file has them, where a value cannot be typed', async () => {
      const line = ' {"aCount" : 1.50,\t"aText":"\\u00e9 \\u0002"} ';
      const { bad } = await land(`${line}\r\n`);
      assert.deepEqual(bad, [{ line: 1, reason: 'aCount is not a whole number of 64 bits: 1.5', raw: line }]);
    });

    it('where the last one of a gzip file has no line break: gzip says that it is whole', async () => {
      const { bad } = await land(gzipSync('{"aText":"x"}\n{"aTe'));
      assert.deepEqual(bad, [{ line: 2, reason: 'the line is not JSON', raw: '{"aTe' }]);
    });

    it('where a plain file ends without a line break after one that is JSON', async () => {
      const { bad } = await land('{"aText":"x"}\n{"aCount":"x"}');
      assert.deepEqual(
        bad.map(({ raw }) => raw),
        ['{"aCount":"x"}'],
      );
    });
  });

  describe('take no more memory', () => {
    const middle = (line: string): string => `{"aText":"x"}\n${line}\n{"aText":"y"}\n`;
    const long = 'x'.repeat(10_000_000);

    it('where a row has 10 MB', async () => {
      const { rows, bad } = await land(middle(`{"aText":"${long}"}`), '256MB');
      assert.deepEqual(bad, []);
      assert.equal(rows[1]?.['a_text'], long);
    });

    it('where a line that is no JSON has 10 MB', async () => {
      const { bad } = await land(middle(long));
      assert.ok(bad.length === 1 && bad[0]?.raw === long);
    });

    for (const size of [16_000_000, 16_000_001, 100_000_000]) {
      it(`where a line has ${size} bytes; beyond 16 MB its start is kept`, async () => {
        const { parsed, rows, bad } = await land(
          gzipSync(middle(`${' '.repeat(9)}{"a":`.padEnd(size, 'é'.repeat(9)))),
        );
        assert.equal(parsed, 3);
        assert.deepEqual(
          rows.map((row) => row['_line']),
          ['1', '3'],
        );
        assert.equal(bad.length, 1);
      });
    }

    it('and a line beyond 16 MB says so', async () => {
      const line = `{"aText":"${'x'.repeat(16_000_000)}"}`;
      const { bad } = await land(middle(line));
      assert.deepEqual(bad, [
        {
          line: 2,
          reason: 'the line is longer than 16000000 bytes, of which the first 1000000 are kept',
          raw: line.slice(0, 1_000_000),
        },
      ]);
    });

    it('where all of 500,000 lines are bad', async () => {
      const { bad, rows } = await land(gzipSync('{"aText":"not JSON",}x\n'.repeat(500_000)));
      assert.deepEqual([bad.length, rows.length, bad[499_999]?.line], [500_000, 0, 500_000]);
    });
  });

  it('stop a plain file whose last line is one and has no line break: the upload was cut off', async () => {
    await assert.rejects(land('{"aText":"x"}\n{"aText":"é"}\n{"aTe'), (error) => {
      assert.ok(error instanceof Failure, String(error));
      assert.equal(error.type, 'FileUnreadable');
      assert.equal(
        error.message,
        `${key} cannot be read as JSON lines: it ends in the middle of a row. It is looked at again until it is ` +
          `written anew or the delivery's deadline passes.`,
      );
      return true;
    });
  });

  describe('and rows, in any file,', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string());
    const object = fc
      .dictionary(fc.oneof(fc.constantFrom('aText', 'aCount', 'someJson', 'ATEXT'), text), fc.jsonValue(), {
        maxKeys: 4,
      })
      .map((value) => Buffer.from(JSON.stringify(value)));
    const line = fc.oneof(
      { weight: 5, arbitrary: object },
      fc.jsonValue().map((value) => Buffer.from(JSON.stringify(value))),
      fc.uint8Array({ maxLength: 30 }).map((array) => Buffer.from(array.filter((byte) => byte !== 0x0a))),
      fc
        .constantFrom('', ' ', '\t\r', '\f\v', '{"aCount":1', '{}', '{} {}', '!')
        .map((text) => Buffer.from(text)),
    );
    const file = fc.record({
      lines: fc.array(line, { maxLength: 30 }),
      end: fc.constantFrom('\n', '\r\n'),
      gzip: fc.boolean(),
    });

    it('are all of its lines that are not blank, each once and with its number', () =>
      reading((at) =>
        fc.assert(
          fc.asyncProperty(file, async ({ lines, end, gzip }) => {
            const content = Buffer.concat(lines.flatMap((line) => [line, Buffer.from(end)]));
            const path = join(at.folder, 'part');
            await writeFile(path, gzip ? gzipSync(content) : content);
            const landed = await landFile(at, client, { format: 'json lines', table: noKey }, path, key);
            const rows = lines.flatMap((line, index) => (isBlank(line) ? [] : [{ line, number: index + 1 }]));
            const good = landed.rows.map((row) => Number(row['_line']));
            const bad = landed.bad.map((row) => row.line);
            assert.equal(landed.parsed, rows.length);
            assert.deepEqual(
              [...good, ...bad].sort((a, b) => a - b),
              rows.map(({ number }) => number),
            );
            for (const { line, number } of rows) {
              const object = asObject(line);
              if (object === undefined) assert.ok(bad.includes(number), line.toString());
              else if (plainly(object)) assert.ok(good.includes(number), line.toString());
            }
            for (const row of landed.rows) {
              const object = asObject(lines[Number(row['_line']) - 1] ?? Buffer.alloc(0));
              const { aText = null } = object ?? {};
              if (aText === null || typeof aText === 'string') assert.equal(row['a_text'], aText);
            }
          }),
          { numRuns: 200 },
        ),
      ));
  });
});

function isBlank(line: Buffer): boolean {
  return line.every((byte) => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d));
}

/** What a line is to JavaScript, which is stricter than DuckDB but for surrogates; undefined where it is no object. */
function asObject(line: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(
      new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(line),
    );
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** Nothing about it can be wrong: no NUL, no surrogate by itself, and no count. */
function plainly(object: Record<string, unknown>): boolean {
  return !/\\u(0000|d[89a-f])/i.test(JSON.stringify(object)) && (object['aCount'] ?? null) === null;
}
