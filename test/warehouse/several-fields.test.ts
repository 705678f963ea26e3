import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type pg from 'pg';

import { readFile } from '../../reader/read-file.js';
import { openDelivery } from '../../warehouse/ledger-delivery.js';
import { planLoad } from '../../warehouse/plan-load.js';
import { publishLoad } from '../../warehouse/publish-load.js';
import type { PublishedLoad } from '../../warehouse/publish-request.js';
import { pendingFiles, stageFile } from '../../warehouse/stage-file.js';
import { prepareSuperseded } from '../../warehouse/superseded-tables.js';
import type { Target } from '../../warehouse/target.js';
import { reading } from '../reader/reading.js';
import { createVisits, visit } from '../reader/visits.js';
import { testDatabase, type TestDatabase } from '../support/postgres.js';
import { file, inPages } from './planning.js';

const key = ['site', 'visit', 'began'];
const target: Target = {
  ...{ schema: 'visits', date: '2026-11-20', how: 'merge' },
  tables: [
    { name: 'visit', key },
    { name: 'step', key: ['site', 'visit', 'ordinal'] },
    { name: 'note', key: ['site', 'visit', 'ordinal'] },
  ],
};

describe('rows of one table in several fields of a line', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  let pool: pg.Pool;
  before(async () => {
    database = await testDatabase();
    pool = database.pool;
    await createVisits(pool);
    // Those of the key stand in each table.
    await pool.query(`
      alter table visits.step add column began timestamptz;
      alter table visits.note add column began timestamptz;
      insert into landfall.source (name, vendor, schema_name) values ('visits', 'dynatrace', 'visits')`);
    const client = await pool.connect();
    await prepareSuperseded(client, 'visits', target);
    client.release();
  });
  after(() => database.drop());

  async function load(
    name: string,
    lines: readonly string[],
  ): Promise<PublishedLoad & { readonly loadId: string }> {
    const deliveryId = `visits/${name}`;
    await openDelivery(pool, { id: deliveryId, source: 'visits', type: 'sessions', date: target.date }, 0);
    const { loadId } = await planLoad(pool, {
      ...{ deliveryId, source: 'visits', target, request: name, force: true },
      ...{ marker: () => undefined, files: inPages([file(name)]), limits: { files: 9, bytes: 1e9 } },
    });
    const inherits = [
      { name: 'site', of: 'site' },
      { name: 'visit', of: 'visit' },
      { name: 'began', of: 'began' },
    ];
    const table = { ...visit, nested: visit.nested.map((inner) => ({ ...inner, inherits })) };
    await reading(async (at) => {
      for (const pending of await pendingFiles(pool, loadId, 0)) {
        const path = join(at.folder, 'part');
        await writeFile(path, lines.map((line) => `${line}\n`).join(''));
        const constants = { exportDate: target.date, partitionValue: null, loadId, fileId: pending.id };
        const shape = { format: 'nested json lines', table } as const;
        const rows = await readFile(at.connection, shape, { path, key: name }, constants, at, at.signal);
        await stageFile(pool, loadId, pending, rows, at.signal);
      }
    });
    const published = await publishLoad(pool, {
      ...{ loadId, deliveryId, target, quarantineLimit: 1 },
      ...{ finality: 'final', reason: 'by hand', onlyGrows: false },
    });
    return { ...published, loadId };
  }
  const notes = async (): Promise<string[]> => {
    const { rows } = await pool.query<{ note: string }>(
      `select concat_ws(' ', visit, ordinal, kind, name, value) as note from visits.note order by visit, ordinal`,
    );
    return rows.map(({ note }) => note);
  };

  const line = (id: string, more: string): string => `{"site":"s","visit":"${id}","began":1,${more}}`;
  const all =
    '"words":[{"key":"w","value":"1"},{"key":"w"}],"numbers":{"n":2},"instants":[{"key":"i","value":3}],' +
    '"oldWords":{"o":"4"},"steps":[{}]';

  it('are counted together, and published once where a line comes twice', async () => {
    const [a, b] = [line('a', all), line('b', '"oldWords":{"o":"5"}')];
    const { loadId, ...counts } = await load('1', [a, a, line('c', '"words":1'), b, a]);
    const { loaded, quarantined, duplicate, parsed } = counts;
    assert.deepEqual(
      { loaded, quarantined, duplicate, parsed },
      { parsed: 5, loaded: 2, quarantined: 1, duplicate: 2 },
    );
    const { rows } = await pool.query<{ staged: unknown }>(
      'select rows_by_table as staged from landfall.load_file where load_id = $1',
      [loadId],
    );
    assert.deepEqual(rows, [{ staged: { visit: 4, note: 16, step: 3 } }]);
    assert.deepEqual(await notes(), [
      'a 1 word w 1',
      'a 2 word w',
      'a 3 number n 2',
      'a 4 instant i 3',
      'a 5 word o 4',
      'b 1 word o 5',
    ]);
  });

  it('go all where their line comes again with fewer', async () => {
    await load('2', [line('a', '"numbers":{"n":9}'), line('b', '"words":null')]);
    assert.deepEqual(await notes(), ['a 1 number n 9']);
  });
});
