/** What is done before the transaction that publishes or discards a day, so that it is short and seldom in vain. */

import pg from 'pg';

import type { DiscardRequest } from './discard-delivery.js';
import { periodToBegin } from './day-layout.js';
import { createPeriod } from './period-partition.js';
import { stagingNames, tableNames } from './names.js';
import { isOfOneDay, partitionOf, partitionsOf } from './partitions.js';
import { addKey } from './publish-partition.js';
import type { PublishRequest } from './publish-request.js';
import { takeTurn } from './table-lock.js';
import type { Target } from './target.js';
import { transaction } from './transaction.js';

/**
 * Makes the partition of the month or year that a day goes into, where it is to have one. Where a partition will be exchanged, asks for
 * the table, and builds the key, which is kept however often the exchange has to be tried. Returns whether publishing may
 * wait for the table. Throws `TablesBusy`.
 */
export async function beforePublishing(
  pool: pg.Pool,
  request: PublishRequest,
  signal?: AbortSignal,
): Promise<boolean> {
  const { loadId, deliveryId, target } = request;
  if (!(await isStaged(pool, loadId))) return false;
  const names = tableNames(target.schema, target.tables[0].name, target.date);
  const partitions = await partitionsOf(pool, names.table);
  const there = partitionOf(partitions, target.date);
  if (!there) {
    if (periodToBegin(target.date, partitions) !== undefined) await createPeriod(pool, target);
    return false;
  }
  if (!isOfOneDay(there)) return false;
  const undone = `Delivery ${deliveryId} is not published yet`;
  const mayWait = await takeTurn(pool, { table: names.table, partitions: [there.name], undone });
  await buildKeyEarly(pool, request, signal);
  return mayWait;
}

/** Asks for the tables, where a day has partitions of its own. Returns and throws what `beforePublishing` does. */
export async function beforeDiscarding(pool: pg.Pool, discard: DiscardRequest): Promise<boolean> {
  const { deliveryId, request } = discard;
  const { rows: done } = await pool.query(
    'select from landfall.delivery_event where delivery_id = $1 and request = $2',
    [deliveryId, request],
  );
  if (done.length > 0) return false;
  let mayWait = false;
  for (const { table, partition } of await ownPartitions(pool, discard.target)) {
    const undone = `The rows of delivery ${deliveryId} are not taken away yet`;
    mayWait = await takeTurn(pool, { table, partitions: [partition], undone });
  }
  return mayWait;
}

async function ownPartitions(
  pool: pg.Pool,
  { schema, tables, date }: Target,
): Promise<{ table: string; partition: string }[]> {
  const found = [];
  for (const { name } of tables) {
    const { table } = tableNames(schema, name, date);
    const there = partitionOf(await partitionsOf(pool, table), date);
    if (there && isOfOneDay(there)) found.push({ table, partition: there.name });
  }
  return found;
}

async function isStaged(db: pg.Pool | pg.ClientBase, loadId: string): Promise<boolean> {
  const { rows } = await db.query(
    `select from landfall.load l where l.id = $1 and l.state = 'staging'
       and not exists (select from landfall.load_file where load_id = l.id and staged_at is null)`,
    [loadId],
  );
  return rows.length > 0;
}

/** Where there are duplicates there is no key before the publishing transaction removes them. */
async function buildKeyEarly(
  pool: pg.Pool,
  { loadId, deliveryId, target }: PublishRequest,
  signal?: AbortSignal,
): Promise<void> {
  const [{ name, key }] = target.tables;
  try {
    await transaction(
      pool,
      async (client) => {
        await client.query('select 1 from landfall.delivery where id = $1 for no key update', [deliveryId]);
        if (!(await isStaged(client, loadId))) return;
        const { table } = tableNames(target.schema, name, target.date);
        await addKey(client, table, stagingNames(loadId, name), ['export_date', ...key]);
      },
      signal,
    );
  } catch (error) {
    if (!(error instanceof pg.DatabaseError && ['23505', '42P01'].includes(error.code ?? ''))) throw error;
  }
}
