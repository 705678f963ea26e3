/** Gathering: bodies that wait in the inbox become deliveries. */

import type pg from 'pg';

import { Failure, failureTypes } from '../model/failure.js';
import { transaction } from './transaction.js';

export interface GatherRequest {
  readonly source: string;
  readonly type: string;
  /** Bytes of bodies that make a batch, as they were sent; one that is larger is a batch alone. */
  readonly gatherBytes: number;
  /** At most so many batches. */
  readonly batches: number;
  /** Id and deadline (epoch ms) of the delivery of the bodies from one on, which came on that UTC day. */
  readonly deliveryOf: (day: string, firstBody: string) => { readonly id: string; readonly deadline: number };
}

/** A body that waits. */
export interface WaitingBody {
  readonly id: string;
  readonly bytes: number;
  /** The UTC day on which it came. */
  readonly day: string;
}

/** So many bodies are looked at in one go; a batch has no more. */
const mostBodies = 10_000;

/**
 * Gives the bodies that wait, in the order of their numbers, to new deliveries, and enters these into the ledger as waiting;
 * all in one transaction. Attempts take turns: what one has given, the next finds given.
 *
 * @returns whether bodies are left.
 */
export function gatherInbox(pool: pg.Pool, request: GatherRequest): Promise<boolean> {
  return transaction(pool, async (client) => {
    await client.query(`select pg_advisory_xact_lock(hashtextextended('landfall.inbox.' || $1, 0))`, [
      request.source,
    ]);
    const { rows } = await client.query<WaitingBody & { bytes: string }>(
      `select id, bytes, to_char(received_at at time zone 'UTC', 'YYYY-MM-DD') as day
       from landfall.inbox where source = $1 and delivery_id is null order by id limit $2`,
      [request.source, mostBodies],
    );
    const waiting = rows.map((row) => ({ ...row, bytes: Number(row.bytes) }));
    const all = inBatches(waiting, request.gatherBytes);
    const batches = all.slice(0, request.batches);
    const deliveries = batches.map((bodies) => {
      const [{ day, id: first }] = bodies;
      return {
        ...request.deliveryOf(day, first),
        day,
        bodies: bodies.map(({ id }) => id),
        of: writeOf(bodies),
      };
    });
    await enter(client, request, deliveries);
    for (const { id, bodies } of deliveries) {
      await client.query(`update landfall.inbox set delivery_id = $1 where id = any($2::bigint[])`, [
        id,
        bodies,
      ]);
    }
    return all.length > batches.length || rows.length === mostBodies;
  });
}

type Bodies = readonly [WaitingBody, ...WaitingBody[]];

/** Each is as large as it may be, and holds one body at least. */
export function inBatches(waiting: readonly WaitingBody[], gatherBytes: number): readonly Bodies[] {
  const batches: [WaitingBody, ...WaitingBody[]][] = [];
  let bytes = 0;
  for (const body of waiting) {
    const last = batches.at(-1);
    bytes += body.bytes;
    if (last && bytes <= gatherBytes) {
      last.push(body);
    } else {
      batches.push([body]);
      bytes = body.bytes;
    }
  }
  return batches;
}

interface Gathered {
  readonly id: string;
  readonly deadline: number;
  readonly day: string;
  readonly of: string;
}

async function enter(
  client: pg.ClientBase,
  { source, type }: GatherRequest,
  deliveries: readonly Gathered[],
): Promise<void> {
  const { rows } = await client.query<{ id: string }>(
    `insert into landfall.delivery (id, source, type, date, finality, since, reason, deadline)
     select id, $1, $2, day, 'waiting', now(), reason, to_timestamp(deadline / 1000.0)
     from unnest($3::text[], $4::date[], $5::text[], $6::float8[]) as gathered (id, day, reason, deadline)
     on conflict (id) do nothing
     returning id`,
    [
      ...[source, type, deliveries.map(({ id }) => id), deliveries.map(({ day }) => day)],
      ...[deliveries.map(({ of }) => `Gathered ${of}.`), deliveries.map(({ deadline }) => deadline)],
    ],
  );
  const entered = new Set(rows.map(({ id }) => id));
  const known = deliveries.find(({ id }) => !entered.has(id));
  if (known === undefined) return;
  throw new Failure(
    failureTypes.configInvalid,
    `The ledger has a delivery ${known.id} already, so landfall.inbox gives numbers a second time: was it emptied and ` +
      `its numbering restarted? What waits in it stays there. Set the numbering beyond all that was used before: ` +
      `alter table landfall.inbox alter column id restart with …`,
  );
}

/** `3 bodies of 12.5 MB`. */
function writeOf(bodies: Bodies): string {
  const bytes = bodies.reduce((sum, body) => sum + body.bytes, 0);
  const size = bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
  return `${bodies.length} ${bodies.length === 1 ? 'body' : 'bodies'} of ${size} from the inbox`;
}
