import type pg from 'pg';

import { tableNames } from './names.js';
import { abandonLoad } from './plan-load.js';
import { createContested } from './contested-keys.js';
import { settleCopies, takeTurns, type Restored } from './newest-copies.js';
import { takeOutMerged, visibleFiles } from './publish-merge.js';
import { dropPartition } from './publish-partition.js';
import type { Target } from './target.js';
import { transaction } from './transaction.js';

export interface DiscardRequest {
  readonly deliveryId: string;
  readonly target: Target;
  readonly reason: string;
  readonly request: string;
}

/** Takes a delivery's rows out of the tables and drops its staging, in one transaction. The ledger keeps its history. */
export async function discardDelivery(pool: pg.Pool, discard: DiscardRequest): Promise<void> {
  await transaction(pool, async (client) => {
    await client.query('select 1 from landfall.delivery where id = $1 for no key update', [
      discard.deliveryId,
    ]);
    const { rowCount } = await client.query(
      `insert into landfall.delivery_event (delivery_id, kind, finality, reason, request)
       values ($1, 'discarded', 'discarded', $2, $3)
       on conflict (delivery_id, request) do nothing`,
      [discard.deliveryId, discard.reason, discard.request],
    );
    if (rowCount === 0) return;
    const restored = await takeOut(client, discard);
    if (restored.length > 0) await tellRestored(client, discard, restored);
    const reason = [discard.reason, ...writeRestored(restored)].join(' ');
    await abandonStaging(client, discard.deliveryId, discard.reason, 'discarded');
    await client.query(
      `update landfall.load set state = 'discarded', ended_at = now(), reason = $2
       where delivery_id = $1 and state = 'published'`,
      [discard.deliveryId, discard.reason],
    );
    await forgetRows(client, discard.deliveryId);
    await client.query(
      `update landfall.delivery
       set finality = 'discarded', since = now(), reason = $2, notice = null, published_at = null, by_rule = false
       where id = $1`,
      [discard.deliveryId, reason],
    );
  });
}

async function takeOut(
  client: pg.ClientBase,
  { deliveryId, target }: DiscardRequest,
): Promise<readonly Restored[]> {
  if (target.how === 'merge') {
    const files = await visibleFiles(client, deliveryId);
    if (files.length === 0) return [];
    await takeTurns(client, target);
    await createContested(client, target);
    await takeOutMerged(client, target, files);
    return settleCopies(client, { deliveryId, target });
  }
  for (const { name } of target.tables) {
    await dropPartition(client, tableNames(target.schema, name, target.date));
  }
  return [];
}

/** Older copies are visible again: the histories of both say so, for who discards rows may not want to see those either. */
async function tellRestored(
  client: pg.ClientBase,
  { deliveryId, request }: DiscardRequest,
  restored: readonly Restored[],
): Promise<void> {
  await client.query(
    `update landfall.delivery_event set reason = concat_ws(' ', reason, $3::text)
     where delivery_id = $1 and request = $2`,
    [deliveryId, request, writeRestored(restored).join()],
  );
  await client.query(
    `insert into landfall.delivery_event (delivery_id, kind, finality, reason, request)
     select d.id, 'restored', d.finality, r.reason, $3
     from unnest($1::text[], $2::text[]) as r (id, reason) join landfall.delivery d on d.id = r.id
     on conflict (delivery_id, request) do nothing`,
    [
      restored.map((one) => one.deliveryId),
      restored.map(
        ({ rows }) =>
          `${rows === 1 ? '1 row of it is' : `${rows} rows of it are`} visible again: ${deliveryId}, which had newer copies, was discarded.`,
      ),
      `restored by ${deliveryId} ${request}`,
    ],
  );
}

/** Deliveries in a sentence. */
const shown = 3;

function writeRestored(restored: readonly Restored[]): readonly string[] {
  if (restored.length === 0) return [];
  const rows = restored.reduce((sum, one) => sum + one.rows, 0);
  const names = restored.slice(0, shown).map((one) => one.deliveryId);
  const more = restored.length > shown ? ` and ${restored.length - shown} more` : '';
  return [
    `${countRows(rows)} visible again that it had newer copies of, from ${names.join(', ')}${more}: discard these too if ` +
      `the rows must not be seen.`,
  ];
}

function countRows(rows: number): string {
  return rows === 1 ? '1 row is' : `${rows} rows are`;
}

/** What a rejected load's reason quotes. */
const firstBadRow = ' The first is line .* (?=The rows are in landfall\\.quarantine)';

/**
 * Rows that could not be loaded are in the quarantine as they came, and errors quote from them: of every load of the
 * delivery, whatever became of it.
 */
async function forgetRows(client: pg.ClientBase, deliveryId: string): Promise<void> {
  const loads = '(select id from landfall.load where delivery_id = $1)';
  await client.query(`delete from landfall.quarantine where load_id in ${loads}`, [deliveryId]);
  await client.query(
    `update landfall.load_file set first_error = null, first_error_line = null
     where load_id in ${loads} and first_error is not null`,
    [deliveryId],
  );
  for (const table of ['load', 'delivery_event']) {
    await client.query(
      `update landfall.${table} set reason = regexp_replace(reason, $2, ' ')
       where delivery_id = $1 and reason ~ $2`,
      [deliveryId, firstBadRow],
    );
  }
}

/** Drops what is staged for a delivery, if anything is. */
export async function abandonStaging(
  client: pg.ClientBase,
  deliveryId: string,
  reason: string,
  state: 'abandoned' | 'discarded' = 'abandoned',
): Promise<void> {
  const { rows } = await client.query<{ id: string }>(
    `select id from landfall.load where delivery_id = $1 and state = 'staging'`,
    [deliveryId],
  );
  for (const load of rows) await abandonLoad(client, load.id, reason, state);
}
