import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import fc from 'fast-check';
import type pg from 'pg';

import type { Table } from '../../vendors/table.js';
import { testDatabase, type TestDatabase } from '../support/postgres.js';
import { connect, landFile, type Landed } from './landing.js';
import { reading } from './reading.js';

const table: Table = {
  name: 'instants',
  key: '_line',
  ofFile: ['export_date'],
  columns: [{ name: 'time', type: 'timestamptz', field: 'time', unit: 'seconds' }],
};

describe('an instant in seconds', function () {
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

  const land = (values: readonly string[]): Promise<Landed> =>
    reading(async (at) => {
      const path = join(at.folder, 'part');
      await writeFile(path, values.map((json) => `{"time":${json}}\n`).join(''));
      return landFile(at, client, { format: 'json lines', table }, path);
    });

  const leanplums = '2020-06-06 20:22:42.721+00';
  const values: readonly (readonly [json: string, instant: string])[] = [
    // As in real files, and as on the vendor's page.
    ['"1.591474962721E9"', leanplums],
    ['1.591474962721E9', leanplums],
    ['1591474962.721', leanplums],
    ['"1591474962.721"', leanplums],
    ['1591474962721e-3', leanplums],
    ['"+1.591474962721e+9"', leanplums],
    ['"1591474962.7205"', leanplums],
    ['"1591474962.72050000"', leanplums],
    ['"1.5914749627205E9"', leanplums],
    ['"1591474962.7214999999999999"', leanplums],
    ['"1591474962.7204999999999999"', '2020-06-06 20:22:42.72+00'],
    ['"1591474962720500E-6"', leanplums],
    ['1591474962', '2020-06-06 20:22:42+00'],
    ['0', '1970-01-01 00:00:00+00'],
    ['0.0004', '1970-01-01 00:00:00+00'],
    ['-0.0005', '1969-12-31 23:59:59.999+00'],
    ['"-1.5E0"', '1969-12-31 23:59:58.5+00'],
    ['-62135596800', '0001-01-01 00:00:00+00'],
    ['253402300799.999', '9999-12-31 23:59:59.999+00'],
    ['"253402300799.9994"', '9999-12-31 23:59:59.999+00'],
    // As CSV files may have them.
    ['"2020-06-06 20:22:42"', '2020-06-06 20:22:42+00'],
    ['"2020-06-06 20:22:42.721"', leanplums],
    ['"2020-06-06 20:22:42.7205"', leanplums],
    ['"2020-06-06T20:22:42.721Z"', leanplums],
    ['"2020-06-06T20:22:42.721"', leanplums],
    ['"2020-06-06T22:22:42.721+02:00"', leanplums],
  ];
  it('is a number or a text, in E notation or as people write it, and is kept to the millisecond', async () => {
    const { rows, bad } = await land([...values.map(([json]) => json), 'null']);
    assert.deepEqual(bad, []);
    assert.deepEqual(
      rows.map(({ time }, index) => [values[index]?.[0] ?? 'null', time]),
      [...values, ['null', null]],
    );
  });

  const refused = [
    '253402300800',
    '"253402300799.9996"',
    '-62135596801',
    // Milliseconds, and microseconds.
    '1591474962721',
    '1591474962721000',
    '1e300',
    '"1e400"',
    '"-1e18"',
    '"NaN"',
    '"infinity"',
    '"-infinity"',
    '"294247-01-10 04:00:54.775806"',
    '"0000-12-31 00:00:00"',
    '"2020-02-30 00:00:00"',
    '"soon"',
    '"now"',
    '""',
    '"1_591_474_962"',
    '"0x5EDBFA12"',
    '"1591474962,721"',
    '"1.5E"',
    '[1591474962]',
    '{}',
    'true',
  ];
  it('and anything else makes a bad row', async () => {
    const { rows, bad } = await land(refused);
    assert.deepEqual(rows, []);
    for (const [index, { line, reason }] of bad.entries()) {
      assert.equal(line, index + 1);
      assert.match(reason, /^time is not an instant between the years 1 and 9999: /);
    }
    assert.equal(bad.length, refused.length);
    assert.equal(bad[3]?.reason, 'time is not an instant between the years 1 and 9999: 1591474962721');
  });

  it('is rounded as on paper, however it is written', async () => {
    const instant = fc
      .bigInt({ min: -62_135_596_800_000_000n, max: 253_402_300_799_000_000n })
      .filter((microseconds) => microseconds > 1_000n || microseconds < -1_000n);
    const written = fc.record({ microseconds: instant, point: fc.integer({ min: 0, max: 20 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(written, { minLength: 1, maxLength: 200 }), async (instants) => {
        const texts = instants.map(({ microseconds, point }) => `"${inENotation(microseconds, point)}"`);
        const { rows, bad } = await land(texts);
        assert.deepEqual(bad, []);
        const epochs = rows.map(({ time }) => BigInt(Date.parse(isoOf(time ?? ''))));
        assert.deepEqual(
          epochs,
          instants.map(({ microseconds }) => inMilliseconds(microseconds)),
        );
      }),
      { numRuns: 20 },
    );
  });
});

function inMilliseconds(microseconds: bigint): bigint {
  const magnitude = ((microseconds < 0n ? -microseconds : microseconds) + 500n) / 1_000n;
  return microseconds < 0n ? -magnitude : magnitude;
}

/** Microseconds as seconds, with the point that many digits from the right: `1591474962.721E0`, `1.591474962721E9`. */
function inENotation(microseconds: bigint, point: number): string {
  const digits = String(microseconds < 0n ? -microseconds : microseconds).padStart(point + 1, '0');
  const whole = digits.slice(0, digits.length - point);
  return `${microseconds < 0n ? '-' : ''}${whole}.${digits.slice(digits.length - point)}E${point - 6}`;
}

/** Postgres' text, which has no hours and minutes in JavaScript's form. */
function isoOf(instant: string): string {
  return instant.replace(' ', 'T').replace('+00', 'Z');
}
