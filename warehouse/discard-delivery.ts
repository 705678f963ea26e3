import type pg from 'pg';

import { writeInstant } from '../vendors/completion.js';
import { beforeDiscarding } from './before-showing.js';
import { answerWishes } from './ledger-change.js';
import { tableNames } from './names.js';
import { abandonLoad } from './plan-load.js';
import { createContested } from './contested-keys.js';
import { settleCopies, takeTurns, type Restored } from './newest-copies.js';
import { takeOutMerged, visibleFiles } from './publish-merge.js';
import { takeOutDay } from './show-day.js';
import type { Target } from './target.js';
import { transaction } from './transaction.js';

export interface DiscardRequest {
  readonly deliveryId: string;
  readonly target: Target;
  readonly reason: string;
  readonly request: string;
  /** Requests of the wishes that are done with it. */
  readonly answers?: readonly string[];
}

/**
 * Takes a delivery's rows out of the tables and drops its staging, in one transaction. The ledger keeps its history. One
 * that a person has discarded already stays as it is.
 *
 * @returns why it is discarded, as a sentence.
 */
export async function discardDelivery(pool: pg.Pool, discard: DiscardRequest): Promise<string> {
  const { deliveryId } = discard;
  const replaces = discard.target.how === 'replace';
  const mayWait = replaces && (await beforeDiscarding(pool, discard));
  return transaction(pool, async (client) => {
    const { rows } = await client.query<Before>(
      `select finality, by_rule, since, reason from landfall.delivery where id = $1 for no key update`,
      [deliveryId],
    );
    const already = rows.find(({ finality, by_rule }) => finality === 'discarded' && !by_rule);
    const reason = already ? writeAlready(already, discard.reason) : discard.reason;
    const { rowCount } = await client.query(
      `insert into landfall.delivery_event (delivery_id, kind, finality, reason, request)
       values ($1, 'discarded', 'discarded', $2, $3)
       on conflict (delivery_id, request) do nothing`,
      [deliveryId, reason, discard.request],
    );
    if (rowCount === 0) return reasonGiven(client, discard);
    const restored = replaces ? [] : await takeOutCopies(client, discard);
    if (restored.length > 0) await tellRestored(client, discard, restored);
    const left = [...writeRestored(restored), ...(await writeBodies(client, deliveryId))];
    if (left.length > 0) await tellWhatIsLeft(client, discard, left);
    const told = [reason, ...left].join(' ');
    await abandonStaging(client, deliveryId, discard.reason, 'discarded');
    await client.query(
      `update landfall.load set state = 'discarded', ended_at = now(), reason = $2
       where delivery_id = $1 and state = 'published'`,
      [deliveryId, discard.reason],
    );
    await forgetRows(client, deliveryId);
    if (already === undefined) {
      await client.query(
        `update landfall.delivery
         set finality = 'discarded', since = now(), reason = $2, notice = null, refusal = null, published_at = null,
             by_rule = false
         where id = $1`,
        [deliveryId, told],
      );
    }
    await answerWishes(client, deliveryId, discard.answers ?? []);
    // Last of all, since it keeps readers out until the transaction ends.
    if (replaces) await takeOut(client, discard, mayWait);
    return told;
  });
}

interface Before {
  readonly finality: string;
  readonly by_rule: boolean;
  readonly since: Date;
  readonly reason: string | null;
}

function writeAlready({ since, reason }: Before, again: string): string {
  const when = writeInstant(since.getTime());
  return `It is discarded already, since ${when} (${reason ?? 'no reason given'}). Asked for again: ${again}`;
}

/** The step runs a second time: its first answer was lost. */
async function reasonGiven(client: pg.ClientBase, discard: DiscardRequest): Promise<string> {
  const { rows } = await client.query<{ reason: string | null }>(
    'select reason from landfall.delivery_event where delivery_id = $1 and request = $2',
    [discard.deliveryId, discard.request],
  );
  return rows[0]?.reason ?? discard.reason;
}

/** Returns the older copies of others that are visible from then on. */
async function takeOutCopies(
  client: pg.ClientBase,
  { deliveryId, target }: DiscardRequest,
): Promise<readonly Restored[]> {
  const files = await visibleFiles(client, deliveryId);
  if (files.length === 0) return [];
  await takeTurns(client, target);
  await createContested(client, target);
  await takeOutMerged(client, target, files);
  return settleCopies(client, { deliveryId, target });
}

async function takeOut(
  client: pg.ClientBase,
  { deliveryId, target }: DiscardRequest,
  mayWait: boolean,
): Promise<void> {
  for (const { name } of target.tables) {
    const names = tableNames(target.schema, name, target.date);
    await takeOutDay(client, names, mayWait, `The rows of delivery ${deliveryId} are not taken away yet`);
  }
}

/** Who discards rows may not want to see what is left either. */
async function tellWhatIsLeft(
  client: pg.ClientBase,
  { deliveryId, request }: DiscardRequest,
  left: readonly string[],
): Promise<void> {
  await client.query(
    `update landfall.delivery_event set reason = concat_ws(' ', reason, $3::text)
     where delivery_id = $1 and request = $2`,
    [deliveryId, request, left.join(' ')],
  );
}

/** Older copies are visible again: their histories say so, too. */
async function tellRestored(
  client: pg.ClientBase,
  { deliveryId, request }: DiscardRequest,
  restored: readonly Restored[],
): Promise<void> {
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

/** What a vendor has sent lies in the inbox as it came, neither masked nor discarded, so that it can be loaded again. */
async function writeBodies(client: pg.ClientBase, deliveryId: string): Promise<readonly string[]> {
  const { rows } = await client.query<{ bodies: string }>(
    'select count(*) as bodies from landfall.inbox where delivery_id = $1',
    [deliveryId],
  );
  const bodies = Number(rows[0]?.bodies ?? 0);
  if (bodies === 0) return [];
  return [
    `${bodies === 1 ? '1 body of it is' : `${bodies} bodies of it are`} kept in landfall.inbox as sent, until keepInbox has ` +
      'passed: delete from there what must not be kept.',
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
