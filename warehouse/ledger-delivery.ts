import type pg from 'pg';

import type { LoadCounts } from '../model/control.js';
import type { Delivery, Finality } from '../model/delivery.js';
import { transaction } from './transaction.js';
import { unreadableFiles, type UnreadableFiles } from './unreadable-files.js';

/** What the ledger says of a delivery. */
export interface LedgerDelivery {
  readonly id: string;
  readonly finality: Finality;
  /** Whether readers see rows of it. */
  readonly published: boolean;
  /** What ended it was its vendor's rule, and not a person. */
  readonly byRule: boolean;
  /** Of what readers see: the version of its marker, its counts, and what people should know of it. */
  readonly version?: string;
  readonly counts?: LoadCounts;
  readonly notice?: string;
  /** Files that were left out of it, since they cannot be read. Only where files come one by one. */
  readonly unreadable?: UnreadableFiles;
  /** A version that is staged and waits for a person. */
  readonly held?: HeldVersion;
}

/** A version that has lost so many rows that it was held instead of published. */
export interface HeldVersion {
  readonly loadId: string;
  /** Epoch ms. */
  readonly since: number;
  /** Why it is held, as a sentence. */
  readonly why: string;
  /** Version of its marker. */
  readonly version?: string;
  /** Of its files. */
  readonly fingerprint: string;
  /** What it is to be published with. */
  readonly finality: 'provisional' | 'final';
  readonly reason: string;
  readonly notice?: string;
}

/** Enters a delivery into the ledger as waiting, or finds it there. */
export async function openDelivery(
  pool: pg.Pool,
  { id, source, type, date, exportJob }: Delivery,
  deadline: number,
): Promise<LedgerDelivery> {
  await pool.query(
    `insert into landfall.delivery (id, source, type, date, finality, since, reason, deadline, export_job)
     values ($1, $2, $3, $4, 'waiting', now(), 'Not looked at yet.', to_timestamp($5 / 1000.0), $6)
     on conflict (id) do update set deadline = excluded.deadline, export_job = excluded.export_job`,
    [id, source, type, date, deadline, exportJob ?? null],
  );
  return readDelivery(pool, id);
}

async function readDelivery(db: pg.Pool | pg.ClientBase, id: string): Promise<LedgerDelivery> {
  const { rows } = await db.query<VisibleRow>(
    `select d.finality, d.by_rule, d.notice, l.id as load_id, l.marker_version, l.files, l.bytes, l.rows_parsed, l.rows_loaded,
            l.rows_quarantined, l.rows_duplicate,
            case when h.id is not null then jsonb_strip_nulls(jsonb_build_object(
              'loadId', h.id::text, 'since', trunc(extract(epoch from h.held_at) * 1000), 'why', h.held_reason,
              'version', h.marker_version, 'fingerprint', h.fingerprint, 'finality', h.held_finality,
              'reason', h.reason, 'notice', h.notice)) end as held
     from landfall.delivery d
     left join landfall.load l on l.delivery_id = d.id and l.state = 'published'
     left join landfall.load h on h.delivery_id = d.id and h.state = 'staging' and h.held_at is not null
     where d.id = $1`,
    [id],
  );
  const row = rows[0];
  if (!row) throw new Error(`Delivery ${id} is not in the ledger.`);
  const held = row.held === null ? {} : { held: row.held };
  const standing = { id, finality: row.finality, byRule: row.by_rule, ...held };
  if (row.load_id === null) return { ...standing, published: false };
  const unreadable = await unreadableFiles(db, row.load_id);
  return {
    ...standing,
    published: true,
    ...(row.marker_version === null ? {} : { version: row.marker_version }),
    ...(row.notice === null ? {} : { notice: row.notice }),
    ...(unreadable ? { unreadable } : {}),
    counts: {
      files: row.files,
      bytes: Number(row.bytes),
      parsed: Number(row.rows_parsed),
      loaded: Number(row.rows_loaded),
      quarantined: Number(row.rows_quarantined),
      duplicate: Number(row.rows_duplicate),
    },
  };
}

interface VisibleRow {
  readonly finality: Finality;
  readonly by_rule: boolean;
  readonly notice: string | null;
  readonly held: HeldVersion | null;
  /** Null where nothing is visible, like all that follow. */
  readonly load_id: string | null;
  readonly marker_version: string | null;
  readonly files: number;
  readonly bytes: string;
  readonly rows_parsed: string;
  readonly rows_loaded: string;
  readonly rows_quarantined: string;
  readonly rows_duplicate: string;
}

export interface DeliveryChange {
  readonly id: string;
  /** What happened: `finality`, `signal:pause`, `note` … */
  readonly kind: string;
  readonly reason: string;
  /** Absent: stays as it is. */
  readonly finality?: Finality;
  readonly paused?: boolean;
  /** The finality is that of what readers see, not of what is under way. */
  readonly ofVisible?: boolean;
  /** The vendor's rule asks for it, and not a person. */
  readonly byRule?: boolean;
  /** Names the step that asks, so that asking twice changes the ledger once. */
  readonly request: string;
}

/**
 * Writes a change of finality, or a person's word, into the ledger with its reason. A delivery whose rows are visible
 * keeps the finality of those rows while it is loaded again, waits or fails: what readers see is still that version.
 */
export async function recordChange(pool: pg.Pool, change: DeliveryChange): Promise<LedgerDelivery> {
  return transaction(pool, async (client) => {
    const held = await client.query<{ finality: Finality; published: boolean }>(
      `select finality, published_at is not null as published from landfall.delivery where id = $1 for no key update`,
      [change.id],
    );
    const before = held.rows[0];
    if (!before) throw new Error(`Delivery ${change.id} is not in the ledger.`);
    const visible = before.published && change.ofVisible !== true;
    const finality = visible ? before.finality : (change.finality ?? before.finality);
    const { rowCount } = await client.query(
      `insert into landfall.delivery_event (delivery_id, kind, finality, reason, request)
       values ($1, $2, $3, $4, $5)
       on conflict (delivery_id, request) do nothing`,
      [change.id, change.kind, change.finality ?? finality, change.reason, change.request],
    );
    if (rowCount === 1) {
      await client.query(
        `update landfall.delivery
         set finality = $2,
             since = case when finality = $2 then since else now() end,
             reason = case when $3::text is null then reason else $3 end,
             paused = coalesce($4, paused),
             by_rule = case when $3::text is null then by_rule else $5 end
         where id = $1`,
        [
          change.id,
          finality,
          change.finality === undefined ? null : change.reason,
          change.paused ?? null,
          change.byRule === true,
        ],
      );
    }
    return readDelivery(client, change.id);
  });
}
