import type pg from 'pg';

import type { LoadCounts } from '../model/control.js';
import type { Delivery, Finality } from '../model/delivery.js';
import { Failure, failureTypes } from '../model/failure.js';
import type { LedgerWish } from '../model/wish.js';
import { ofCopies } from './count-load.js';
import { unreadableFiles, type UnreadableFiles } from './unreadable-files.js';

/** What the ledger says of a delivery. */
export interface LedgerDelivery {
  readonly id: string;
  readonly finality: Finality;
  /** Whether readers see rows of it. */
  readonly published: boolean;
  /** What ended it was its vendor's rule, and not a person. */
  readonly byRule: boolean;
  /** Held by a person until `resume`. */
  readonly paused?: boolean;
  /** What a person asked for and is not done yet. */
  readonly wish?: LedgerWish;
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

export async function readDelivery(db: pg.Pool | pg.ClientBase, id: string): Promise<LedgerDelivery> {
  const { rows } = await db.query<VisibleRow>(
    `select d.finality, d.by_rule, d.paused, d.wish, d.wish_reason, d.wish_request, d.notice, l.id as load_id, l.marker_version,
            l.files, l.bytes, l.rows_parsed, l.rows_loaded, l.rows_quarantined, l.rows_duplicate,
            l.rows_conflicting, l.rows_superseded,
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
  if (!row) throw notInLedger(id);
  const standing = {
    ...{ id, finality: row.finality, byRule: row.by_rule },
    ...(row.paused ? { paused: true } : {}),
    ...(row.wish === null ? {} : { wish: wishOf(row.wish, row) }),
    ...(row.held === null ? {} : { held: row.held }),
  };
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
      ...ofCopies(Number(row.rows_conflicting), Number(row.rows_superseded)),
    },
  };
}

function wishOf(wish: string, row: VisibleRow): LedgerWish {
  return { wish, reason: row.wish_reason ?? '', request: row.wish_request ?? '' };
}

/** No retry enters it. */
export function notInLedger(id: string): Failure {
  return new Failure(
    failureTypes.configInvalid,
    `Delivery ${id} is not in the ledger. Check that postgres.url leads to the database that it was begun in.`,
  );
}

interface VisibleRow {
  readonly finality: Finality;
  readonly by_rule: boolean;
  readonly paused: boolean;
  readonly wish: string | null;
  readonly wish_reason: string | null;
  readonly wish_request: string | null;
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
  readonly rows_conflicting: string;
  readonly rows_superseded: string;
}
