/** What the ledger says of a load that is being published. */

import type pg from 'pg';

import type { LoadCounts } from '../model/control.js';
import type { PublishRequest } from './publish-request.js';
import type { UnreadableFiles } from './unreadable-files.js';

/** What people should know: what was asked to be said, files that were left out, and a version that has lost rows. */
export async function noticeOf(
  client: pg.ClientBase,
  request: PublishRequest,
  counts: LoadCounts,
  unreadable: UnreadableFiles | undefined,
): Promise<string | null> {
  const notices = request.notice === undefined ? [] : [request.notice];
  if (unreadable) {
    const { files, first } = unreadable;
    notices.push(
      `${files === 1 ? '1 file cannot be read and is' : `${files} files cannot be read and are`} left out; what readers ` +
        `saw of ${files === 1 ? 'it' : 'them'} before stays. ${files === 1 ? 'It is' : 'The first is'} ${first}` +
        `${first.endsWith('.') ? '' : '.'} One that comes in another version is loaded by itself; reprocess the delivery ` +
        `to read all files again.`,
    );
  }
  if (request.onlyGrows) {
    const { rows } = await client.query<{ id: string; parsed: string }>(
      `select id, rows_parsed as parsed from landfall.load where delivery_id = $1 and state = 'published'`,
      [request.deliveryId],
    );
    const before = rows[0];
    const fewer = Number(before?.parsed ?? 0) - counts.parsed;
    if (before && fewer > 0) {
      notices.push(
        `This version has ${counts.parsed} rows, ${fewer} fewer than the one before (load ${before.id}), though the ` +
          `vendor promises that none are removed.`,
      );
    }
  }
  return notices.length === 0 ? null : notices.join(' ');
}

export interface Outcome {
  /** Of all that readers see from now on. */
  readonly counts: LoadCounts;
  /** Files whose rows they saw before. */
  readonly kept: number;
  readonly notice: string | null;
}

export async function writeLedger(
  client: pg.ClientBase,
  request: PublishRequest,
  { counts, kept, notice }: Outcome,
): Promise<void> {
  await client.query(
    `update landfall.load set state = 'replaced', ended_at = now()
     where delivery_id = $1 and state = 'published'`,
    [request.deliveryId],
  );
  // What earlier loads could not read is of interest no longer, rejected ones included.
  await client.query(
    `delete from landfall.quarantine
     where load_id in (select id from landfall.load where delivery_id = $1 and id <> $2)`,
    [request.deliveryId, request.loadId],
  );
  await client.query(
    `update landfall.load
     set state = 'published', ended_at = now(), reason = $2,
         rows_parsed = $3, rows_loaded = $4, rows_quarantined = $5, rows_duplicate = $6, notice = $7,
         files = $8, kept = $9, bytes = $10, rows_conflicting = $11, rows_superseded = $12
     where id = $1`,
    [
      request.loadId,
      request.reason,
      counts.parsed,
      counts.loaded,
      counts.quarantined,
      counts.duplicate,
      notice,
      counts.files,
      kept,
      counts.bytes,
      counts.conflicting ?? 0,
      counts.superseded ?? 0,
    ],
  );
  await client.query(
    `update landfall.delivery
     set since = case when finality = $2 then since else now() end,
         finality = $2, reason = $3, notice = $4, published_at = now()
     where id = $1`,
    [request.deliveryId, request.finality, request.reason, notice],
  );
  await client.query(
    `insert into landfall.delivery_event (delivery_id, kind, finality, reason, request)
     values ($1, 'published', $2, $3, $4)`,
    [
      request.deliveryId,
      request.finality,
      notice === null ? request.reason : `${request.reason} ${notice}`,
      `publish/${request.loadId}`,
    ],
  );
}
