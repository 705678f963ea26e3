/** Deliveries with overlapping keys, staged by hand, and a plain reading of what the tables and the ledger then have to hold. */

import type pg from 'pg';

import { discardDelivery } from '../../warehouse/discard-delivery.js';
import { openDelivery } from '../../warehouse/ledger-delivery.js';
import { stagingNames } from '../../warehouse/names.js';
import { planLoad } from '../../warehouse/plan-load.js';
import { publishLoad } from '../../warehouse/publish-load.js';
import type { Target } from '../../warehouse/target.js';
import { file, inPages } from './planning.js';
import { createSessionTables } from './session-tables.js';

/**
 * `whole`: a line is a session with its items, and a delivery is loaded as a whole. `parted`: a file has rows of one table
 * alone. `adding`: as `whole`, and files come one by one.
 */
export type Shape = 'whole' | 'parted' | 'adding';

/** Of a file of items, `items` does not count. */
export interface CopyLine {
  readonly session: string;
  readonly says: string;
  readonly items: number;
}

export interface CopyFile {
  readonly key: string;
  readonly version: string;
  readonly newness: string;
  readonly table: 'session' | 'item';
  readonly lines: readonly CopyLine[];
}

export interface Copies {
  readonly pool: pg.Pool;
  readonly source: string;
  readonly target: Target;
}

let sources = 0;
let requests = 0;

export async function openCopies(pool: pg.Pool, shape: Shape): Promise<Copies> {
  const source = `copies_${++sources}`;
  const target: Target = {
    ...{ schema: source, date: '2026-11-20', how: 'merge' },
    tables: [
      { name: 'session', key: ['session_id'] },
      { name: 'item', key: ['session_id', 'ordinal'] },
    ],
    ...(shape === 'parted' ? { completes: [] } : {}),
    ...(shape === 'adding' ? { adds: true } : {}),
  };
  await createSessionTables(pool, source, 'leanplum', target);
  return { pool, source, target };
}

export function idOf({ source }: Copies, delivery: string): string {
  return `${source}/${delivery}`;
}

/** Plans and stages a load of these files; undefined where readers see them already. */
export async function stageCopies(
  copies: Copies,
  delivery: string,
  files: readonly CopyFile[],
  force: boolean,
): Promise<string | undefined> {
  const { pool, source, target } = copies;
  const deliveryId = idOf(copies, delivery);
  await openDelivery(pool, { id: deliveryId, source, type: 'sessions', date: target.date }, 0);
  const { loadId, published } = await planLoad(pool, {
    ...{ deliveryId, source, target, request: `load-${++requests}`, force, marker: () => undefined },
    files: inPages(files.map(({ key, version }) => file(key, version))),
    limits: { files: 9, bytes: 1e9 },
    newness: ({ key }) => files.find((one) => one.key === key)?.newness ?? '',
  });
  if (published) return undefined;
  const { rows } = await pool.query<{ id: string; key: string }>(
    `select f.id, f.key from landfall.load_file lf join landfall.file f on f.id = lf.file_id
     where lf.load_id = $1 and lf.staged_at is null`,
    [loadId],
  );
  const ordinals = new Map<string, number>();
  for (const one of files) {
    const id = rows.find(({ key }) => key === one.key)?.id;
    const { session, item } = rowsOfFile(one, ordinals);
    if (id === undefined) continue;
    await pool.query(
      `insert into ${stagingNames(loadId, 'session').table}
       select session_id, says, $2, _line from jsonb_to_recordset($1) as r (session_id text, says text, _line bigint)`,
      [JSON.stringify(session), id],
    );
    await pool.query(
      `insert into ${stagingNames(loadId, 'item').table}
       select session_id, ordinal, says, $2, _line
       from jsonb_to_recordset($1) as r (session_id text, ordinal bigint, says text, _line bigint)`,
      [JSON.stringify(item), id],
    );
    await pool.query(
      `update landfall.load_file
       set staged_at = now(), rows_parsed = $3, rows_loaded = $3, rows_quarantined = 0, rows_duplicate = 0,
           rows_by_table = jsonb_build_object('session', $4::bigint, 'item', $5::bigint)
       where load_id = $1 and file_id = $2`,
      [loadId, id, one.lines.length, session.length, item.length],
    );
  }
  return loadId;
}

interface Row {
  readonly session_id: string;
  readonly ordinal?: number;
  readonly says: string;
  readonly _line: number;
}

/** Items that are rows of a file are numbered within their session over all files. */
export function rowsOfFile(
  { table, lines }: CopyFile,
  ordinals: Map<string, number>,
): { readonly session: readonly Row[]; readonly item: readonly Row[] } {
  const numbered = lines.map((line, index) => ({ ...line, _line: index + 1 }));
  if (table === 'item') {
    const item = numbered.map(({ session, says, _line }): Row => {
      const ordinal = (ordinals.get(session) ?? 0) + 1;
      ordinals.set(session, ordinal);
      return { session_id: session, ordinal, says, _line };
    });
    return { session: [], item };
  }
  return {
    session: numbered.map(({ session, says, _line }) => ({ session_id: session, says, _line })),
    item: numbered.flatMap(({ session, says, items, _line }) =>
      Array.from({ length: items }, (_, index) => ({ session_id: session, ordinal: index + 1, says, _line })),
    ),
  };
}

export async function publishCopies(copies: Copies, delivery: string, loadId: string): Promise<void> {
  await publishLoad(copies.pool, {
    ...{ loadId, deliveryId: idOf(copies, delivery), target: copies.target, quarantineLimit: 0 },
    ...{ finality: 'final', reason: 'by hand', onlyGrows: false },
  });
}

export async function discardCopies(copies: Copies, delivery: string): Promise<void> {
  const { pool, source, target } = copies;
  const id = idOf(copies, delivery);
  await openDelivery(pool, { id, source, type: 'sessions', date: target.date }, 0);
  await discardDelivery(pool, {
    ...{ deliveryId: id, target, reason: 'not wanted', request: `discard-${++requests}` },
  });
}

/** What is held against the model, as lines in order. */
export interface Held {
  /** Of each table: key, what the row says, its file and line. */
  readonly rows: readonly string[];
  /** Of each live file: loaded, duplicate, conflicting and superseded, and by which deliveries. */
  readonly files: readonly string[];
  /** File and line. */
  readonly quarantine: readonly string[];
}

export async function heldCopies({ pool, source }: Copies): Promise<Held> {
  const lines = async (sql: string): Promise<string[]> => {
    const { rows } = await pool.query<{ line: string }>(sql);
    return rows.map(({ line }) => line).sort();
  };
  const held = {
    rows: await lines(
      `select concat_ws(' ', 'session', session_id, says, f.key, f.version, _line) as line
       from ${source}.session join landfall.file f on f.id = _file_id
       union all
       select concat_ws(' ', 'item', session_id, ordinal, says, f.key, f.version, _line)
       from ${source}.item join landfall.file f on f.id = _file_id`,
    ),
    files: await lines(
      `select concat_ws(' ', f.key, f.version, lf.rows_loaded, lf.rows_duplicate, lf.rows_conflicting,
         lf.rows_superseded, by.who) as line
       from landfall.load l join landfall.delivery d on d.id = l.delivery_id
       join landfall.load_file lf on lf.load_id = l.id join landfall.file f on f.id = lf.file_id
       left join lateral (
         select string_agg(split_part(s.by_delivery_id, '/', 2) || ':' || s.rows, ' ' order by s.by_delivery_id) as who
         from landfall.superseded s where s.file_id = lf.file_id
       ) by on true
       where l.state = 'published' and d.source = '${source}'`,
    ),
    quarantine: await lines(
      `select concat_ws(' ', f.key, f.version, q.line) as line
       from landfall.quarantine q join landfall.file f on f.id = q.file_id where f.source = '${source}'`,
    ),
  };
  const wrong = await lines(
    `select concat_ws(' ', 'load', l.id, 'does not count what its files do') as line
     from landfall.load l join landfall.delivery d on d.id = l.delivery_id
     cross join lateral (
       select sum(rows_loaded) as loaded, sum(rows_superseded) as superseded, sum(rows_conflicting) as conflicting,
              sum(rows_duplicate) as duplicate
       from landfall.load_file where load_id = l.id
     ) s
     where l.state = 'published' and d.source = '${source}'
       and (l.rows_loaded, l.rows_superseded, l.rows_conflicting, l.rows_duplicate) is distinct from
         (coalesce(s.loaded, 0), coalesce(s.superseded, 0), coalesce(s.conflicting, 0), coalesce(s.duplicate, 0))
     union all
     select concat_ws(' ', 'superseded', s.file_id, 'is of no live load') from landfall.superseded s
     join landfall.file f on f.id = s.file_id and f.source = '${source}'
     where not exists (
       select from landfall.load_file lf join landfall.load l on l.id = lf.load_id
       where lf.file_id = s.file_id and l.state = 'published'
     )`,
  );
  return { ...held, files: [...held.files, ...wrong] };
}
