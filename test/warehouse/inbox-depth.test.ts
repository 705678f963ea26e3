import assert from 'node:assert/strict';

import type pg from 'pg';

import { inboxDepth } from '../../warehouse/inbox-depth.js';
import { insertBody } from '../../warehouse/insert-body.js';
import { unpreparedSources } from '../../warehouse/unprepared-sources.js';
import { testDatabase, type TestDatabase } from '../support/postgres.js';

describe('what waits in the inbox', () => {
  let database: TestDatabase;
  let pool: pg.Pool;
  before(async () => {
    database = await testDatabase();
    ({ pool } = database);
    await pool.query(
      `insert into landfall.source (name, vendor, schema_name) values ('a', 'dynatrace', 'a'), ('b', 'dynatrace', 'b')`,
    );
  });
  after(() => database.drop());

  const put = async (source: string, bytes: number, minutesAgo: number, finality?: string): Promise<void> => {
    const gzip = Buffer.from('x');
    const id = await insertBody(pool, { source, form: 'documents', gzip, bytes, sha256: gzip, documents: 1 });
    await pool.query(
      `update landfall.inbox set received_at = timestamptz '2026-11-20 12:00Z' - $2 * interval '1 minute' where id = $1`,
      [id, minutesAgo],
    );
    if (finality === undefined) return;
    const delivery = `${source}/2026-11-20/${id}`;
    await pool.query(
      `insert into landfall.delivery (id, source, type, date, finality, since)
       values ($1, $2, 'sessions', '2026-11-20', $3, now())`,
      [delivery, source, finality],
    );
    await pool.query('update landfall.inbox set delivery_id = $2 where id = $1', [id, delivery]);
  };

  it('is nothing at first', async () => {
    assert.deepEqual(await inboxDepth(pool, 'a'), { bodies: 0, bytes: 0 });
  });

  it('are bodies of that source without a delivery, or whose delivery is waiting or loading', async () => {
    await put('a', 1, 1);
    await put('a', 10, 2, 'waiting');
    await put('a', 100, 3, 'loading');
    for (const settled of ['final', 'discarded', 'skipped', 'failed']) await put('a', 1_000, 9, settled);
    await put('b', 10_000, 5);
    assert.deepEqual(await inboxDepth(pool, 'a'), {
      ...{ bodies: 3, bytes: 111, oldest: Date.parse('2026-11-20T11:57:00Z') },
    });
    assert.deepEqual(await inboxDepth(pool, 'b'), {
      ...{ bodies: 1, bytes: 10_000, oldest: Date.parse('2026-11-20T11:55:00Z') },
    });
  });

  it('can only be for sources that were set up', async () => {
    assert.deepEqual(await unpreparedSources(pool, ['c', 'a', 'b', 'd']), ['c', 'd']);
    assert.deepEqual(await unpreparedSources(pool, []), []);
    await assert.rejects(
      insertBody(pool, {
        ...{
          source: 'c',
          form: 'bulk',
          gzip: Buffer.alloc(0),
          bytes: 0,
          sha256: Buffer.alloc(0),
          documents: 0,
        },
      }),
      /foreign key/,
    );
  });
});
