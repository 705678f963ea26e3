import type pg from 'pg';

import type { LoadCounts } from '../model/control.js';
import { Failure, failureTypes } from '../model/failure.js';
import { beforePublishing } from './before-showing.js';
import { completeRows } from './complete-rows.js';
import { addCounts, countLoad, nothing } from './count-load.js';
import { endCopies } from './end-copies.js';
import { acceptLoad, hasShrunk, holdLoad, isAccepted, visibleRows } from './held-load.js';
import { stagingNames } from './names.js';
import { abandonLoad } from './plan-load.js';
import { addRows, noteKept } from './publish-adding.js';
import { noticesOf, noticeText, writeLedger } from './publish-ledger.js';
import { mergeRows } from './publish-merge.js';
import { buildPartition } from './publish-partition.js';
import type { PublishedLoad, PublishRequest } from './publish-request.js';
import { removedRows } from './removed-rows.js';
import { showDay } from './show-day.js';
import { transaction } from './transaction.js';
import { unreadableFiles } from './unreadable-files.js';

/**
 * Makes a staged load visible, in place of the delivery's earlier version or beside it, and writes the ledger, in one
 * transaction. Running it again, or twice at once, changes nothing: the delivery's row lock makes callers take turns, and
 * the second finds the load published.
 *
 * Throws `TooManyBadRows` (staging is dropped, the quarantine kept), `HeldForReview` (staging is kept), `LoadSuperseded`,
 * `StagingLost`, `TablesBusy`. Of a load whose staged rows are gone nothing is kept, so that the next plan makes another one.
 */
export async function publishLoad(
  pool: pg.Pool,
  request: PublishRequest,
  signal?: AbortSignal,
): Promise<PublishedLoad> {
  const replaces = request.target.how === 'replace';
  const mayWait = replaces && (await beforePublishing(pool, request, signal));
  const publish = async (client: pg.ClientBase): Promise<PublishedLoad | Failure> => {
    await client.query('select 1 from landfall.delivery where id = $1 for no key update', [
      request.deliveryId,
    ]);
    const load = await readLoad(client, request.loadId);
    if (load.state === 'published') return published(await countLoad(client, request.loadId), load.notice);
    // The first attempt's answer was lost: this one gives it again.
    if (load.state === 'rejected') return new Failure(failureTypes.tooManyBadRows, load.reason ?? 'rejected');
    if (request.accepted !== undefined) await acceptLoad(client, request.loadId, request.accepted);
    if (load.state !== 'staging') {
      return new Failure(
        failureTypes.loadSuperseded,
        `Load ${request.loadId} of delivery ${request.deliveryId} is ${load.state}; it is not published.`,
      );
    }
    await requireAllStaged(client, request);
    await endCopies(client, request.loadId);
    const lost = load.masked_so ? await lostRows(client, request) : maskedOtherwise(request);
    if (lost !== undefined) return giveUp(client, request, lost);
    const adds = request.target.adds === true;
    const kept = adds ? await noteKept(client, request) : nothing;
    const staged = addCounts(await countLoad(client, request.loadId), kept);
    if (hasTooManyBad(staged, request)) return reject(client, request, staged);

    const before = await visibleRows(client, request.deliveryId);
    await client.query('savepoint before_rows');
    let ambiguous: string | undefined;
    if (request.target.completes) {
      ambiguous = await completeRows(client, request.loadId, request.target);
      const completed = await countLoad(client, request.loadId);
      if (hasTooManyBad(completed, request)) return reject(client, request, completed);
    }
    const unreadable = await unreadableFiles(client, request.loadId);
    const removed = request.onlyGrows ? await removedRows(client, request) : undefined;
    const publishRows = adds ? addRows : mergeRows;
    await (replaces ? buildPartition : publishRows)(client, request);
    const counts = await countLoad(client, request.loadId);
    const { shrinkLimit = 1 } = request;
    // A row of which another delivery has a newer copy is not lost.
    const rows = counts.loaded + (counts.superseded ?? 0);
    if (before && hasShrunk(before.rows, rows, shrinkLimit) && !(await isAccepted(client, request))) {
      await client.query('rollback to savepoint before_rows');
      return holdLoad(client, request, before, rows);
    }
    const told = [request.notice, ambiguous].filter((part) => part !== undefined).join(' ') || undefined;
    const notices = await noticesOf(client, { ...request, notice: told }, counts, { unreadable, removed });
    await writeLedger(client, request, { counts, kept: kept.files, notices });
    // Last of all, since it keeps readers out until the transaction ends.
    if (replaces) await showDay(client, request, mayWait);
    return published(counts, noticeText(notices));
  };
  const outcome = await transaction(pool, publish, signal);
  if (outcome instanceof Failure) throw outcome;
  return outcome;
}

function hasTooManyBad({ parsed, quarantined }: LoadCounts, { quarantineLimit }: PublishRequest): boolean {
  return parsed > 0 && quarantined / parsed > quarantineLimit;
}

interface LoadState {
  readonly state: string;
  /** Its rows are masked by the rules that were set last, or it has none. */
  readonly masked_so: boolean;
  readonly reason: string | null;
  readonly notice: string | null;
}

function published(counts: LoadCounts, notice: string | null): PublishedLoad {
  return notice === null ? counts : { ...counts, notice };
}

async function readLoad(client: pg.ClientBase, loadId: string): Promise<LoadState> {
  const { rows } = await client.query<LoadState>(
    `select l.state, l.reason, l.notice, l.mask_digest is null or l.mask_digest = s.mask_digest as masked_so
     from landfall.load l join landfall.delivery d on d.id = l.delivery_id join landfall.source s on s.name = d.source
     where l.id = $1 for no key update of l`,
    [loadId],
  );
  if (!rows[0]) throw new Error(`Load ${loadId} is not in the ledger.`);
  return rows[0];
}

async function requireAllStaged(client: pg.ClientBase, request: PublishRequest): Promise<void> {
  const { rows } = await client.query<{ missing: string }>(
    'select count(*) as missing from landfall.load_file where load_id = $1 and staged_at is null',
    [request.loadId],
  );
  const missing = Number(rows[0]?.missing ?? 0);
  if (missing === 0) return;
  throw new Failure(
    failureTypes.stagingLost,
    `Delivery ${request.deliveryId} cannot be published: ${missing} of its files are not staged. They are staged again.`,
  );
}

/**
 * Which staged rows are gone, as a sentence. Staging tables that are not logged are empty after a crash of Postgres, while
 * the ledger is as it was.
 */
async function lostRows(
  client: pg.ClientBase,
  { loadId, deliveryId, target }: PublishRequest,
): Promise<string | undefined> {
  for (const { name } of target.tables) {
    const { table } = stagingNames(loadId, name);
    const { rows: found } = await client.query<{ there: boolean }>(
      'select to_regclass($1) is not null as there',
      [table],
    );
    if (found[0]?.there !== true) return `The staging table of ${name} of delivery ${deliveryId} is gone.`;
    const { rows } = await client.query<{ there: string; reported: string }>(
      `select (select count(*) from ${table}) as there,
              (select coalesce(sum((rows_by_table ->> $2)::bigint), 0) from landfall.load_file where load_id = $1)
                as reported`,
      [loadId, name],
    );
    const { there = '0', reported = '0' } = rows[0] ?? {};
    if (there === reported) continue;
    return `Staging of delivery ${deliveryId} holds ${there} rows of ${name} where ${reported} were reported.`;
  }
  return undefined;
}

function maskedOtherwise({ deliveryId }: PublishRequest): string {
  return `Delivery ${deliveryId} was staged by mask rules that no longer hold, since 'landfall setup' has set others.`;
}

async function giveUp(client: pg.ClientBase, { loadId }: PublishRequest, lost: string): Promise<Failure> {
  await abandonLoad(client, loadId, lost);
  return new Failure(failureTypes.stagingLost, `${lost} It is staged again.`);
}

async function reject(client: pg.ClientBase, request: PublishRequest, staged: LoadCounts): Promise<Failure> {
  const adds = request.target.adds === true;
  const { rows } = await client.query<{ key: string; line: string; reason: string }>(
    `select f.key, q.line, q.reason
     from landfall.quarantine q join landfall.file f on f.id = q.file_id
     where q.load_id = $1${adds ? ' or (q.load_id, q.file_id) in (select load_id, file_id from kept_file)' : ''}
     order by q.load_id = $1 desc, f.key collate "C", q.line limit 1`,
    [request.loadId],
  );
  const first = rows[0];
  const percent = (share: number): string => `${Number((share * 100).toPrecision(3))} %`;
  const message =
    `${staged.quarantined} of ${staged.parsed} rows of delivery ${request.deliveryId} could not be read ` +
    `(${percent(staged.quarantined / staged.parsed)}; quarantineLimit is ${percent(request.quarantineLimit)}). ` +
    (adds ? `This load was not published; what readers see stays.` : `Nothing of it was published.`) +
    (first ? ` The first is line ${first.line} of ${first.key}: ${first.reason}.` : '') +
    ` The rows are in landfall.quarantine (load ${request.loadId}): mend their cause or raise the limit, then reprocess.`;
  await abandonLoad(client, request.loadId, message, 'rejected');
  return new Failure(failureTypes.tooManyBadRows, message);
}
