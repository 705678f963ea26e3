import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import fc from 'fast-check';

import { readFile } from '../../reader/read-file.js';
import { session } from '../../vendors/monetate/tables.js';
import {
  landVisits,
  visitTables,
  type Content,
  type LandedVisits,
  type Visits,
} from './documents-landing.js';
import { constants } from './landing.js';
import { reading } from './reading.js';

describe('a group of files of documents', function () {
  this.timeout(120_000);
  let visits: Visits;
  before(async () => {
    visits = await visitTables();
  });
  after(() => visits.drop());

  const line = (id: string | number): string =>
    `{"session_id":"${id}","offers":{"1":1,"2":2},"view_lines":[{}]}`;
  const bad = (id: string | number): string =>
    `{"session_id":"${id}","offers":{"1":1,"2":"x"},"view_lines":[{}]}`;
  const places = (landed: LandedVisits, table = 'session'): string =>
    landed.rows[table]!.map((row) => `${row['session_id']}:${row['_file_id']}:${row['_line']}`).join(' ');
  const emptyCounts = { parsed: 0, loaded: 0, quarantined: 0, byTable: {} };

  it('tells of each row which line of which file it was', async () => {
    const landed = await landVisits(visits, [
      `${line('a')}\n\n${line('b')}\n`,
      gzipSync(`\ufeff${line('c')}`),
      '',
      `\n\n \n${line('d')}\r\n${line('e')}`,
      gzipSync(''),
      `${line('f')}\n`,
    ]);
    assert.deepEqual([landed.bad, landed.unreadable, landed.parsed, landed.taken], [[], [], 6, 6]);
    const expected = 'a:1:1 b:1:3 c:2:1 d:4:4 e:4:5 f:6:1';
    assert.equal(places(landed), expected);
    assert.equal(places(landed, 'session_view_line'), expected);
    assert.equal(
      places(landed, 'session_offer'),
      expected
        .split(' ')
        .flatMap((place) => [place, place])
        .join(' '),
    );
    const of = (sessions: number): object => ({
      ...{ parsed: sessions, loaded: sessions, quarantined: 0 },
      byTable: { session: sessions, session_offer: 2 * sessions, session_view_line: sessions },
    });
    assert.deepEqual(
      [...landed.counts],
      [
        ['1', of(2)],
        ['2', of(1)],
        ['3', emptyCounts],
        ['4', of(2)],
        ['5', emptyCounts],
        ['6', of(1)],
      ],
    );
  });

  it('keeps bad lines under their own file', async () => {
    const landed = await landVisits(visits, [
      `${line('a')}\n${bad('b')}\n`,
      gzipSync(`\n${bad('c')}`),
      `${line('d')}\nnothing\n\n${bad('e')}\n`,
    ]);
    const reason = 'offers[2].value is not an instant between the years 1 and 9999: x';
    assert.deepEqual(landed.bad, [
      { file: '1', line: 2, reason, raw: bad('b') },
      { file: '2', line: 2, reason, raw: bad('c') },
      { file: '3', line: 2, reason: 'the line is not JSON', raw: 'nothing' },
      { file: '3', line: 4, reason, raw: bad('e') },
    ]);
    assert.equal(places(landed, 'session_view_line'), 'a:1:1 d:3:1');
    assert.deepEqual(
      [...landed.counts.values()].map(({ parsed, loaded, quarantined }) => [parsed, loaded, quarantined]),
      [
        [2, 1, 1],
        [1, 0, 1],
        [3, 1, 2],
      ],
    );
  });

  describe('names those that cannot be read, and takes the others', () => {
    const whole = gzipSync(`${line('x')}\n`.repeat(2_000));
    const unreadable: readonly (readonly [what: string, content: Content, message: RegExp])[] = [
      [
        'gzip that is cut off',
        whole.subarray(0, -9),
        /^2026\/11\/20\/2 cannot be read .* its gzip is cut off before/,
      ],
      [
        'gzip that is damaged',
        damaged(whole),
        /^2026\/11\/20\/2 cannot be read .* its gzip is damaged at byte/,
      ],
      [
        'gzip with something behind it',
        Buffer.concat([whole, Buffer.from(line('y'))]),
        /something that is no gzip follows/,
      ],
      [
        'no gzip that ends within a row',
        `${line('x')}\n${line('y').slice(0, -1)}`,
        /ends in the middle of a row/,
      ],
      ['no gzip that is no JSON', 'nothing', /ends in the middle of a row/],
    ];
    for (const [what, content, message] of unreadable) {
      it(`of ${what}`, async () => {
        const landed = await landVisits(visits, [`${line('a')}\n`, content, `${bad('b')}\n${line('c')}`]);
        assert.deepEqual([places(landed), landed.parsed], ['a:1:1 c:3:2', 3]);
        assert.deepEqual([landed.bad.length, landed.bad[0]?.file, landed.bad[0]?.line], [1, '3', 1]);
        assert.deepEqual(landed.counts.get('2'), emptyCounts);
        assert.deepEqual(
          landed.unreadable.map(([id]) => id),
          ['2'],
        );
        assert.match(landed.unreadable[0]![1], message);
      });
    }

    it('of one that is larger than a piece', async () => {
      const wide = `{"session_id":"w","guid":"${'w'.repeat(1_000)}"}\n`.repeat(40_000);
      const large = gzipSync(wide, { level: 1 });
      const landed = await landVisits(visits, [line('a'), large.subarray(0, -1), large, line('b')]);
      assert.deepEqual(
        landed.unreadable.map(([id]) => id),
        ['2'],
      );
      assert.deepEqual([landed.parsed, landed.taken], [40_002, 40_002]);
      assert.deepEqual(landed.counts.get('3')?.byTable, { session: 40_000 });
      assert.ok(landed.rows['session']?.slice(1, -1).every((row, at) => row['_line'] === String(at + 1)));
      assert.equal(places({ ...landed, rows: { session: [landed.rows['session']!.at(-1)!] } }), 'b:4:1');
    });

    it('where there is no other, and where a file is read by itself', async () => {
      const landed = await landVisits(visits, [whole.subarray(0, 100)]);
      assert.deepEqual([landed.parsed, landed.bad, places(landed), landed.unreadable.length], [0, [], '', 1]);
      await reading(async (at) => {
        const path = join(at.folder, 'part');
        await writeFile(path, whole.subarray(0, 100));
        const shape = { format: 'documents', table: session } as const;
        const rows = await readFile(at.connection, shape, { path, key: 'k' }, constants, at, at.signal);
        await assert.rejects(
          rows.good(() => Promise.reject(new Error('no row comes'))),
          {
            name: 'FileUnreadable',
            message: /^k cannot be read as JSON lines: its gzip is cut off before its end\./,
          },
        );
      });
    });
  });

  it('gives the rows that the files give one by one, whatever is in them', async () => {
    const anyLine = fc.oneof(
      { weight: 4, arbitrary: fc.nat(99).map(line) },
      fc.nat(99).map(bad),
      fc.constantFrom('', ' ', '{', 'null', '{"session_id":"a","purchases":{"o":0.12345678901234567890}}'),
    );
    const file = fc.record({
      lines: fc.array(anyLine, { maxLength: 5 }),
      ended: fc.boolean(),
      gzip: fc.constantFrom('no', 'whole', 'cut'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(file, { minLength: 1, maxLength: 5 }), async (files) => {
        const contents = files.map(({ lines, ended, gzip }): Content => {
          const text = `${lines.join('\n')}${ended && lines.length > 0 ? '\n' : ''}`;
          return gzip === 'no' ? text : gzipSync(text).subarray(0, gzip === 'cut' ? -1 : undefined);
        });
        const together = await landVisits(visits, contents);
        for (const [index, content] of contents.entries()) {
          // Its id is 1 when it is alone.
          const alone = await landVisits(visits, [content]);
          const id = String(index + 1);
          const of = Object.fromEntries(
            Object.entries(together.rows).map(([table, rows]) => [
              table,
              rows.filter((row) => row['_file_id'] === id).map((row) => ({ ...row, _file_id: '1' })),
            ]),
          );
          assert.deepEqual(of, alone.rows);
          assert.deepEqual(
            together.bad.filter((row) => row.file === id).map((row) => ({ ...row, file: '1' })),
            alone.bad,
          );
          assert.deepEqual(together.counts.get(id), alone.counts.get('1'));
          assert.equal(
            together.unreadable.some(([other]) => other === id),
            alone.unreadable.length > 0,
          );
        }
      }),
      { numRuns: 15 },
    );
  });
});

/** With a bit of its middle turned over. */
function damaged(gzip: Buffer): Buffer {
  const copy = Buffer.from(gzip);
  const middle = Math.floor(copy.length / 2);
  copy[middle] = (copy[middle] ?? 0) ^ 0xff;
  return copy;
}
