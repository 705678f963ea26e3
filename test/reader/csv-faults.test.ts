import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';

import type pg from 'pg';

import { testDatabase, type TestDatabase } from '../support/postgres.js';
import { connect, type Landed } from './landing.js';
import { csv, faults, landSayings, said, unreadable } from './sayings.js';

describe('a CSV file that is not as it should be', function () {
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
        await assert.rejects(land(`sayingId,says\n1,x\n${end}`), unreadable(word));
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
      await assert.rejects(land(whole.subarray(0, -9)), unreadable('its gzip is cut off before its end.'));
      await assert.rejects(land(whole.subarray(0, 9_000)), unreadable('its gzip is cut off before its end.'));
    });
  });
});
