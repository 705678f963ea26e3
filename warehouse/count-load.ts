import type pg from 'pg';

import type { LoadCounts } from '../model/control.js';

export const nothing: LoadCounts = { files: 0, bytes: 0, parsed: 0, loaded: 0, quarantined: 0, duplicate: 0 };

/** What the files of a load count, by the ledger; files that cannot be read are left out. */
export function countLoad(client: pg.ClientBase, loadId: string): Promise<LoadCounts> {
  return sum(client, 'landfall.load_file lf', 'lf.load_id = $1', [loadId]);
}

/** The load of the files in temporary table kept_file: by a constant Postgres finds its entries among those of all days. */
export const keptLoad = '(select min(load_id) from kept_file)';

/** What the files of temporary table kept_file count. */
export function countKept(client: pg.ClientBase): Promise<LoadCounts> {
  return sum(
    client,
    'kept_file k join landfall.load_file lf using (file_id)',
    `lf.load_id = ${keptLoad}`,
    [],
  );
}

export function addCounts(a: LoadCounts, b: LoadCounts): LoadCounts {
  return {
    files: a.files + b.files,
    bytes: a.bytes + b.bytes,
    parsed: a.parsed + b.parsed,
    loaded: a.loaded + b.loaded,
    quarantined: a.quarantined + b.quarantined,
    duplicate: a.duplicate + b.duplicate,
    ...ofCopies((a.conflicting ?? 0) + (b.conflicting ?? 0), (a.superseded ?? 0) + (b.superseded ?? 0)),
  };
}

/** Counts that most loads have none of. */
export function ofCopies(
  conflicting: number,
  superseded: number,
): Pick<LoadCounts, 'conflicting' | 'superseded'> {
  return { ...(conflicting > 0 ? { conflicting } : {}), ...(superseded > 0 ? { superseded } : {}) };
}

async function sum(
  client: pg.ClientBase,
  files: string,
  condition: string,
  values: readonly string[],
): Promise<LoadCounts> {
  const { rows } = await client.query<Record<keyof LoadCounts, string>>(
    `select count(*) as files, coalesce(sum(f.size), 0) as bytes,
            coalesce(sum(rows_parsed), 0) as parsed, coalesce(sum(rows_loaded), 0) as loaded,
            coalesce(sum(rows_quarantined), 0) as quarantined, coalesce(sum(rows_duplicate), 0) as duplicate,
            coalesce(sum(rows_conflicting), 0) as conflicting, coalesce(sum(rows_superseded), 0) as superseded
     from ${files} join landfall.file f on f.id = lf.file_id
     where ${condition} and lf.unreadable is null`,
    [...values],
  );
  const column = (name: keyof LoadCounts): number => Number(rows[0]?.[name] ?? 0);
  return {
    files: column('files'),
    bytes: column('bytes'),
    parsed: column('parsed'),
    loaded: column('loaded'),
    quarantined: column('quarantined'),
    duplicate: column('duplicate'),
    ...ofCopies(column('conflicting'), column('superseded')),
  };
}
