/** What the Web UI shows of a delivery to someone who never saw the code: a small table in markdown. */

import type { BackfillStatus, LoadCounts } from '../model/control.js';
import type { ExportCounts, ExportStatus } from '../model/export.js';
import type { InboxDepth, InboxNews, InboxStatus, LastLoaded } from '../model/inbox.js';
import { kindWords, nameKinds, type NameCounts, type NamesStatus } from '../model/names.js';
import { finalities, type Finality } from '../model/delivery.js';
import { printable } from '../model/printable.js';
import type { LedgerWish } from '../model/wish.js';
import { writeInstant } from '../vendors/completion.js';

/** What a delivery's page shows of its state. */
export interface Shown {
  finality: Finality;
  /** A sentence: what happens next. */
  next: string;
  /** Of the load under way, or of the last one. */
  counts?: LoadCounts | undefined;
  /** While loading. */
  filesPlanned?: number | undefined;
  /** What people should know of what is visible, beyond its finality. */
  notice?: string | undefined;
  /** To a signal that it does not know. */
  answer?: string | undefined;
}

/** The Web UI's box holds seven lines, so what matters comes first; the delivery's name stands above it. */
export function deliveryDetails(shown: Shown, paused: boolean, wish?: LedgerWish): string {
  const visible = shown.finality === 'final' || shown.finality === 'provisional';
  return table([
    ['Finality', paused ? `${shown.finality} (paused)` : shown.finality],
    ...(wish ? [['Asked for', `${wish.wish}, not done yet (${wish.reason})`] as const] : []),
    ...(shown.answer === undefined ? [] : [['Answer', shown.answer] as const]),
    ...(shown.notice === undefined ? [] : [['Notice', shown.notice] as const]),
    ['Next', paused ? 'Nothing new starts until `resume`.' : shown.next],
    ...(shown.counts ? countRows(shown.counts, shown.filesPlanned ?? 0, visible) : []),
  ]);
}

function countRows(
  counts: LoadCounts,
  planned: number,
  visible: boolean,
): readonly (readonly [string, string])[] {
  const files = counts.files < planned ? `${whole(counts.files)} of ${whole(planned)}` : whole(counts.files);
  return [
    ['Files', counts.bytes === 0 ? files : `${files} (${writeBytes(counts.bytes)})`],
    [
      'Rows',
      visible || counts.loaded === 0 ? whole(counts.loaded) : `${whole(counts.loaded)} staged, not visible`,
    ],
    ['Quarantined', whole(counts.quarantined)],
    ...(counts.duplicate > 0 ? [['Duplicates removed', whole(counts.duplicate)] as const] : []),
    ...[
      ['Conflicting, in quarantine', counts.conflicting ?? 0] as const,
      ['Superseded by newer copies', counts.superseded ?? 0] as const,
    ].flatMap(([name, rows]) => (rows > 0 ? [[name, whole(rows)] as const] : [])),
  ];
}

export function backfillDetails(status: BackfillStatus, waiting: ReadonlySet<string>): string {
  const settled = finalities.flatMap((finality) => {
    const count = status.settled[finality];
    return count === undefined ? [] : [`${whole(count)} ${finality}`];
  });
  const inFlight = status.inFlight.map((id) => (waiting.has(id) ? `${id} (waits for its marker)` : id));
  return table([
    ['Days', `${whole(status.daysDone)} of ${whole(status.days)} looked at, newest first`],
    ['Started', whole(status.started)],
    ['Left alone', `${whole(status.leftAlone)} (final, skipped or discarded before)`],
    ['In flight', list(inFlight)],
    ['Came to rest', settled.length === 0 ? 'none yet' : settled.join(', ')],
    ['Failed', list(status.failed, status.settled.failed)],
    ...(status.stopped === undefined
      ? []
      : [['Stopped', `${status.stopped}; what is in flight goes on`] as const]),
    ...(status.answer === undefined ? [] : [['Answer', status.answer] as const]),
  ]);
}

/** What the page of a source's inbox shows: the alarm first, if there is one. */
export function inboxDetails(status: InboxStatus): string {
  const { answer, depth, failed, last, news } = status;
  return table([
    ...(status.alarm ? [['ALARM', writeAlarm(depth)] as const] : []),
    ...(answer === undefined ? [] : [['Answer', answer] as const]),
    ['Waiting', writeDepth(depth) + (news ? `; ${writeNews(news)}` : '')],
    ['In flight', list(status.inFlight)],
    ...(last ? [['Last', writeLast(last)] as const] : []),
    ...(failed > 0 ? [['Failed', writeFailed(failed)] as const] : []),
    ['Next', status.next],
  ]);
}

function writeAlarm({ oldest }: InboxDepth): string {
  const which = oldest === undefined ? 'What was received' : `A body that came at ${writeInstant(oldest)}`;
  return `${which} is not in the tables a minute later. See the deliveries in flight, and whether workers run.`;
}

/** `3 bodies (12.5 MB), the oldest of 2026-11-20 14:30:00 UTC`. */
function writeDepth({ bodies, bytes, oldest }: InboxDepth): string {
  if (bodies === 0) return 'nothing';
  const since = oldest === undefined ? '' : `, the oldest of ${writeInstant(oldest)}`;
  return `${whole(bodies)} ${bodies === 1 ? 'body' : 'bodies'} (${writeBytes(bytes)})${since}`;
}

function writeNews({ since, bytes }: InboxNews): string {
  return `${writeBytes(bytes)} that came since ${writeInstant(since)}, not counted yet`;
}

function writeLast({ delivery, finality, at, counts }: LastLoaded): string {
  const rows = counts === undefined ? '' : ` with ${whole(counts.loaded)} rows`;
  return `${delivery} ${finality}${rows} at ${writeInstant(at)}`;
}

function writeFailed(failed: number): string {
  const which = failed === 1 ? '1 delivery' : `${whole(failed)} deliveries`;
  return `${which}, whose bodies are kept: see \`landfall status\`, mend the cause and reprocess`;
}

/** What the page of an export that was asked for shows. */
export function exportDetails(status: ExportStatus): string {
  return table([
    ['State', status.state],
    ['Days', `${status.from} to ${status.to} (Pacific), as ${status.format}`],
    ...(status.exportJob === undefined ? [] : [['Export', status.exportJob] as const]),
    ...(status.counts === undefined ? [] : [['Brought', writeExported(status.counts)] as const]),
    ...(status.delivery === undefined ? [] : [['Delivery', status.delivery] as const]),
    ['Next', status.next],
  ]);
}

/** `101 sessions in 2 files (36.6 kB)`. */
export function writeExported({ files, sessions, bytes }: ExportCounts): string {
  const inFiles = `${whole(files)} ${files === 1 ? 'file' : 'files'}`;
  return [
    sessions === undefined
      ? inFiles
      : `${whole(sessions)} ${sessions === 1 ? 'session' : 'sessions'} in ${inFiles}`,
    ...(bytes === undefined ? [] : [`(${writeBytes(bytes)})`]),
  ].join(' ');
}

/** What the page of a run shows that asks what ids are called. */
export function namesDetails(status: NamesStatus): string {
  return table([
    ...nameKinds.flatMap((kind) => {
      const counts = status.counts[kind];
      const words = kindWords[kind];
      const name = words.slice(0, 1).toUpperCase() + words.slice(1);
      return counts === undefined ? [] : [[name, writeNamed(counts)] as const];
    }),
    ['Next', status.next],
  ]);
}

/** `2,518 named (3 new), 1 gone, 2 without a name`. */
export function writeNamed(counts: NameCounts): string {
  return [
    `${whole(counts.named)} named${counts.new === 0 ? '' : ` (${whole(counts.new)} new)`}`,
    ...(counts.gone === 0 ? [] : [`${whole(counts.gone)} gone`]),
    ...(counts.unknown === 0 ? [] : [`${whole(counts.unknown)} without a name`]),
    ...(counts.left === 0 ? [] : [`${whole(counts.left)} not asked for this time`]),
  ].join(', ');
}

const mostListed = 10;

function list(names: readonly string[], count = names.length): string {
  if (names.length === 0) return 'none';
  const listed = names.slice(0, mostListed);
  return listed.join(', ') + (count > listed.length ? ` and ${whole(count - listed.length)} more` : '');
}

function table(rows: readonly (readonly [string, string])[]): string {
  // People's reasons and vendors' keys stand in it: a line break would end the table, and a link or an image is none of ours.
  const cell = (value: string): string => printable(value.replace(/\s+/g, ' ')).replace(/[|[\]<]/g, '\\$&');
  const lines = rows.map(([name, value]) => `| ${name} | ${cell(value)} |`);
  return ['| | |', '|---|---|', ...lines].join('\n');
}

/** Written without Intl, whose output may differ between workers. */
function whole(number: number): string {
  return String(number).replace(/\B(?=(\d{3})+$)/g, ',');
}

export function writeBytes(bytes: number): string {
  return bytes < 1_000_000 ? `${(bytes / 1_000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
