/** What the ledger says of a load that is being published. */

import type pg from 'pg';

import type { LoadCounts } from '../model/control.js';
import { writeNotices, type Notice } from './notices.js';
import type { PublishRequest } from './publish-request.js';
import type { RemovedRows } from './removed-rows.js';
import type { UnreadableFiles } from './unreadable-files.js';

/** What is known of a load besides its counts. */
export interface Findings {
  readonly unreadable: UnreadableFiles | undefined;
  /** Only where the vendor promises that there are none. */
  readonly removed: RemovedRows | undefined;
}

/** What people should know: what was asked to be said, files that were left out, and a version that has lost rows. */
export async function noticesOf(
  client: pg.ClientBase,
  request: PublishRequest,
  counts: LoadCounts,
  { unreadable, removed }: Findings,
): Promise<readonly Notice[]> {
  const notices: Notice[] = request.notice === undefined ? [] : [{ kind: 'version', text: request.notice }];
  if (unreadable) {
    const { files, first } = unreadable;
    notices.push({
      kind: 'unreadable',
      text:
        `${files === 1 ? '1 file cannot be read and is' : `${files} files cannot be read and are`} left out; what readers ` +
        `saw of ${files === 1 ? 'it' : 'them'} before stays. ${files === 1 ? 'It is' : 'The first is'} ${first}` +
        `${first.endsWith('.') ? '' : '.'} One that comes in another version is loaded by itself; reprocess the delivery ` +
        `to read all files again.`,
    });
  }
  if (request.onlyGrows) {
    const { rows } = await client.query<{ id: string; parsed: string }>(
      `select id, rows_parsed as parsed from landfall.load where delivery_id = $1 and state = 'published'`,
      [request.deliveryId],
    );
    const before = rows[0];
    const text = before && lossOf({ id: before.id, parsed: Number(before.parsed) }, counts, removed);
    if (text !== undefined) notices.push({ kind: 'removed', text });
  }
  return notices;
}

/** Which rows of the version before are missing, as sentences. One row may be removed while another one is added. */
function lossOf(
  before: { readonly id: string; readonly parsed: number },
  counts: LoadCounts,
  removed: RemovedRows | undefined,
): string | undefined {
  const promise = 'though the vendor promises that none are removed';
  const fewer = before.parsed - counts.parsed;
  const missing = removed?.rows ?? 0;
  if (fewer <= 0 && missing === 0) return undefined;
  const has = `This version has ${counts.parsed} rows`;
  const sentences =
    fewer > 0
      ? [`${has}, ${fewer} fewer than the one before (load ${before.id}), ${promise}.`]
      : [`${has}, and lacks some of the one before (load ${before.id}), ${promise}.`];
  if (removed !== undefined && missing > 0) {
    const keys = `${removed.first.join(', ')}${missing > removed.first.length ? ', …' : ''}`;
    sentences.push(
      `${missing === 1 ? '1 row is' : `${missing} rows are`} missing by ${removed.key}: ${keys}.` +
        (counts.quarantined > 0
          ? ` Some may be among what is in its quarantine (${counts.quarantined} of its rows).`
          : ''),
    );
  }
  return sentences.join(' ');
}

/** All notices in one text; null where there are none. */
export function noticeText(notices: readonly Notice[]): string | null {
  return notices.length === 0 ? null : notices.map(({ text }) => text).join(' ');
}

export interface Outcome {
  /** Of all that readers see from now on. */
  readonly counts: LoadCounts;
  /** Files whose rows they saw before. */
  readonly kept: number;
  readonly notices: readonly Notice[];
}

export async function writeLedger(
  client: pg.ClientBase,
  request: PublishRequest,
  { counts, kept, notices }: Outcome,
): Promise<void> {
  const notice = noticeText(notices);
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
         finality = $2, reason = $3, notice = $4, held = null, published_at = now()
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
  await writeNotices(client, request.deliveryId, request.loadId, notices);
}
