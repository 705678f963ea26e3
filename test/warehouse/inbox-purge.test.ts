import assert from 'node:assert/strict';

import { nameBatch } from '../../config/name-delivery.js';
import { openDelivery } from '../../warehouse/ledger-delivery.js';
import { purgeInbox } from '../../warehouse/inbox-purge.js';
import { transaction } from '../../warehouse/transaction.js';
import { dynatraceSource, type DynatraceSource } from '../support/dynatrace.js';

const day = '2026-11-20';
const noon = Date.parse(`${day}T12:00:00Z`);

describe('deleting old bodies', () => {
  let source: DynatraceSource;
  beforeEach(async () => {
    source = await dynatraceSource();
  });
  afterEach(() => source.drop());

  interface Settled {
    readonly finality: string;
    /** Epoch ms: since when it has this finality. */
    readonly since?: number;
    /** Epoch ms. */
    readonly publishedAt?: number;
  }

  /** A delivery of two bodies; its id. */
  async function delivery({ finality, since = noon, publishedAt }: Settled): Promise<string> {
    const { pool } = source.database;
    const bodies = [
      await source.receive('a', { at: noon - 60_000 }),
      await source.receive('b', { at: noon - 50_000 }),
    ];
    const named = nameBatch(source.config, day, bodies[0]!);
    await openDelivery(pool, named, noon);
    await pool.query(
      `update landfall.delivery set finality = $2, since = to_timestamp($3 / 1000.0), published_at = to_timestamp($4 / 1000.0)
       where id = $1`,
      [named.id, finality, since, publishedAt ?? null],
    );
    await pool.query('update landfall.inbox set delivery_id = $1 where id = any($2)', [named.id, bodies]);
    return named.id;
  }
  const purge = (before = noon, most = 50) =>
    purgeInbox(source.database.pool, source.config.name, before, most);
  /** Deliveries whose bodies are there, with how many. */
  const left = async (): Promise<Record<string, number>> => {
    const rows = await source.rows(
      `select coalesce(delivery_id, 'none') as id, count(*)::integer as bodies from landfall.inbox group by 1`,
    );
    return Object.fromEntries(rows.map((row) => [row['id'] as string, row['bodies'] as number]));
  };

  it('takes those of final, skipped and discarded deliveries, once they have been so for long enough', async () => {
    for (const finality of ['final', 'skipped', 'discarded']) {
      await delivery({ finality, publishedAt: noon });
    }
    const young = [
      await delivery({ finality: 'final', since: noon - 9_000, publishedAt: noon + 1 }),
      await delivery({ finality: 'skipped', since: noon + 1 }),
      await delivery({ finality: 'discarded', since: noon + 1 }),
    ];
    assert.deepEqual(await purge(), { deliveries: 3, bodies: 6 });
    assert.deepEqual(await left(), Object.fromEntries(young.map((id) => [id, 2])));
    assert.deepEqual(await purge(), { deliveries: 0, bodies: 0 });
  });

  it('never takes those that nobody has loaded, however old they are', async () => {
    await source.receive('waits');
    const kept = [];
    for (const finality of ['waiting', 'loading', 'provisional', 'failed']) {
      kept.push(await delivery({ finality, since: 0, publishedAt: 0 }));
    }
    assert.deepEqual(await purge(Date.now() + 86_400_000), { deliveries: 0, bodies: 0 });
    assert.deepEqual(await left(), { none: 1, ...Object.fromEntries(kept.map((id) => [id, 2])) });
  });

  it('takes whole deliveries, at most as many as it is told', async () => {
    for (let count = 0; count < 5; count += 1) await delivery({ finality: 'final', publishedAt: noon });
    assert.deepEqual(await purge(noon, 2), { deliveries: 2, bodies: 4 });
    assert.deepEqual(Object.values(await left()), [2, 2, 2]);
  });

  it('leaves a delivery alone that is being loaded again', async () => {
    const id = await delivery({ finality: 'final', publishedAt: noon });
    await source.database.pool.query(
      `insert into landfall.load (delivery_id, request, fingerprint, state) values ($1, 'r', 'f', 'staging')`,
      [id],
    );
    assert.deepEqual(await purge(), { deliveries: 0, bodies: 0 });
    await source.rows(`update landfall.load set state = 'abandoned'`);
    assert.deepEqual(await purge(), { deliveries: 1, bodies: 2 });
  });

  it('passes over a delivery whose row another step holds, rather than wait', async () => {
    const held = await delivery({ finality: 'final', publishedAt: noon });
    await delivery({ finality: 'final', publishedAt: noon });
    await transaction(source.database.pool, async (client) => {
      await client.query('select 1 from landfall.delivery where id = $1 for no key update', [held]);
      assert.deepEqual(await purge(), { deliveries: 1, bodies: 2 });
    });
    assert.deepEqual(await left(), { [held]: 2 });
  });

  it('leaves those of other sources alone', async () => {
    const id = await delivery({ finality: 'final', publishedAt: noon });
    assert.deepEqual(await purgeInbox(source.database.pool, 'another', noon, 50), {
      deliveries: 0,
      bodies: 0,
    });
    assert.deepEqual(await left(), { [id]: 2 });
  });
});
