import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';

import type pg from 'pg';

import { readFile } from '../../../reader/read-file.js';
import { session, storedTables } from '../../../vendors/dynatrace/tables.js';
import { dynatrace } from '../../../vendors/dynatrace/vendor.js';
import { connect, constants } from '../../reader/landing.js';
import { landRows, type LandedSessions } from '../../reader/nested-landing.js';
import { reading } from '../../reader/reading.js';
import { testDatabase, type TestDatabase } from '../../support/postgres.js';
import { current, older } from './documents.js';
import { createTablesOf } from '../create-tables.js';
import { putRows } from '../put-rows.js';
import { unfold } from './unfold.js';

describe('sessions as they are read', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  let client: pg.Client;
  before(async () => {
    database = await testDatabase();
    await createTablesOf(dynatrace, database.pool, 'rum');
    await createTablesOf(dynatrace, database.pool, 'plain');
    client = await connect(database.url);
    await client.query('set search_path = rum');
    await client.query(
      'create table quarantine (load_id bigint, file_id bigint, line bigint, reason text, raw text)',
    );
  });
  after(async () => {
    await client.end();
    await database.drop();
  });

  const land = (...lines: readonly string[]): Promise<LandedSessions> =>
    reading(async (at) => {
      const path = join(at.folder, 'part');
      await writeFile(path, lines.map((line) => `${line}\n`).join(''));
      const file = { path, key: '2026-11-20/1042.ndjson' };
      const shape = { format: 'nested json lines', table: session } as const;
      return landRows(
        client,
        storedTables,
        await readFile(at.connection, shape, file, constants, at, at.signal),
      );
    });

  it('fill the tables as they are declared to, documents of both generations', async () => {
    const documents = [current, older];
    const { rows, bad } = await land(...documents.map((document) => JSON.stringify(document)));
    assert.deepEqual(bad, []);
    for (const { name, columns } of storedTables) {
      const plain = documents.flatMap((document, index) =>
        (unfold(session, document).get(name) ?? []).map((row) => ({ ...row, _line: index + 1 })),
      );
      await putRows(database.pool, 'plain', name, plain);
      const texts = columns.map((column) => `"${column.name}"::text`).join(', ');
      const order = name === 'user_session' ? '_line' : '_line, t.ordinal';
      const { rows: expected } = await client.query<Record<string, string | null>>(
        `select ${texts} from plain.${name} t order by ${order}`,
      );
      const landed = (rows[name] ?? []).map((row) =>
        Object.fromEntries(columns.map((column) => [column.name, row[column.name]])),
      );
      assert.deepEqual(landed, expected, name);
      assert.ok(
        (rows[name] ?? []).every((row) => row['_extra'] === null),
        name,
      );
    }
  });

  it('are bad lines without one of their three key columns, as the vendor’s test call is', async () => {
    const without = (field: string): string => JSON.stringify({ ...older, [field]: undefined });
    const call = JSON.stringify({
      visitorId: 'a',
      visitId: '1',
      startTime: 1,
      endTime: 2,
      visitType: 'SYNTHETIC',
    });
    const { rows, bad } = await land(
      ...[without('tenantId'), without('userSessionId'), without('startTime'), call, 'no JSON'],
      JSON.stringify(older),
    );
    assert.deepEqual(
      bad.map(({ line, reason }) => [line, /^\w+/.exec(reason)?.[0]]),
      [
        [1, 'tenantId'],
        [2, 'userSessionId'],
        [3, 'startTime'],
        [4, 'tenantId'],
        [5, 'the'],
      ],
    );
    assert.deepEqual(
      rows['user_session']?.map((row) => row['_line']),
      ['6'],
    );
  });

  it('need no more memory than a reader has, where each has many actions with nulls and keys that nobody told of', async () => {
    const [action] = current['userActions'] as readonly object[];
    const line = (number: number): string =>
      JSON.stringify({
        ...current,
        userSessionId: String(number),
        userActions: Array.from({ length: 60 }, () => ({ ...action, speedIndex: null, rhythm: 1 })),
        mood: 'good',
      });
    const count = await reading(
      async (at) => {
        const path = join(at.folder, 'part');
        await writeFile(path, Array.from({ length: 300 }, (_, number) => `${line(number)}\n`).join(''));
        const shape = { format: 'nested json lines', table: session } as const;
        const file = { path, key: '2026-11-20/1042.ndjson' };
        const { good, parsed } = await readFile(at.connection, shape, file, constants, at, at.signal);
        await good(async (rows) => {
          rows.resume();
          await finished(rows);
          return 0;
        });
        return parsed();
      },
      undefined,
      '256MB',
    );
    assert.equal(count, 300);
  });

  it('keep what nobody told of, at every level', async () => {
    const { rows } = await land(
      JSON.stringify({ ...older, mood: 'good', userActions: [{ name: 'a', rhythm: [1] }], city: 'Accra' }),
    );
    // The newer name counts, and nothing is lost.
    assert.deepEqual(JSON.parse(rows['user_session']?.[0]?.['_extra'] ?? ''), {
      ...{ mood: 'good', geolocationCityName: 'Kumasi' },
    });
    assert.equal(rows['user_session']?.[0]?.['city'], 'Accra');
    assert.deepEqual(JSON.parse(rows['user_action']?.[0]?.['_extra'] ?? ''), { rhythm: [1] });
  });
});
