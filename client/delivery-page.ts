/** A delivery as text, for `landfall show`. */

import { writeInstant } from './instant.js';
import { writeWish } from './wish.js';
import type { FoundDelivery } from './queries/find-delivery.js';
import type { ListedEvent } from './queries/list-events.js';
import type { FaultyFile, QuarantinedRow } from './queries/list-faults.js';
import type { ListedLoad } from './queries/list-loads.js';
import type { SupersededRows } from './queries/list-superseded.js';
import type { ListedNotice } from './queries/list-notices.js';
import { writeTable } from './table.js';

export interface ShownDelivery extends FoundDelivery {
  readonly loads: readonly ListedLoad[];
  /** Deliveries with newer copies of its rows. */
  readonly supersededBy: readonly SupersededRows[];
  /** Of all versions, oldest first. */
  readonly notices: readonly ListedNotice[];
  readonly events: readonly ListedEvent[];
  /** Of the newest load: at most 20 files. */
  readonly filesWithErrors: readonly FaultyFile[];
  /** Of the newest load: at most 5 rows. */
  readonly firstQuarantined: readonly QuarantinedRow[];
  readonly webUi?: string;
}

export function writeDelivery(shown: ShownDelivery): string {
  return [
    writeHead(shown),
    writeLoads(shown),
    section(
      'Superseded (others have newer copies of these rows; they come back when those are discarded)',
      shown.supersededBy.map(
        ({ by, rows }) => `${rows} ${rows === 1 ? 'row is' : 'rows are'} superseded by ${by}`,
      ),
    ),
    section(
      'Notices',
      shown.notices.map((notice) => writeNotice(notice)),
    ),
    section(
      'History',
      shown.events.map((event) => writeEvent(event)),
    ),
    section(
      'Files with errors',
      shown.filesWithErrors.map((file) => writeFault(file)),
    ),
    section(
      'First rows in quarantine (the rows themselves are in landfall.quarantine)',
      shown.firstQuarantined.map(({ file, line, reason }) => `${file}, line ${line}: ${reason}`),
    ),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function writeHead(shown: ShownDelivery): string {
  const state = `${shown.finality}${shown.paused ? ' (paused)' : ''}, since ${writeInstant(shown.since)}`;
  const lines: (readonly [string, string | null | undefined])[] = [
    ['Finality', state],
    ['Held', shown.held],
    ['Asked for', writeWish(shown)],
    ['Refused', shown.refusal],
    ['Notice', shown.notice],
    ['Trouble', shown.trouble === shown.reason ? null : shown.trouble],
    ['Reason', shown.reason],
    ['Schema', shown.schema],
    ['Published', shown.publishedAt === null ? 'not yet' : writeInstant(shown.publishedAt)],
    ['Awaited until', shown.deadline === null ? null : writeInstant(shown.deadline)],
    ['Web UI', shown.webUi],
  ];
  const told = lines.filter(
    (line): line is readonly [string, string] => line[1] !== null && line[1] !== undefined,
  );
  return [shown.delivery, ...told.map(([name, value]) => `  ${name.padEnd(15)}${value}`)].join('\n');
}

function writeLoads({ loads }: ShownDelivery): string {
  if (loads.length === 0) return 'Nothing of it was loaded yet.';
  const table = writeTable(loads, [
    { title: 'LOAD', cell: (load) => load.load },
    { title: 'STATE', cell: (load) => load.state },
    { title: 'FILES', cell: (load) => load.files },
    { title: 'PARSED', cell: (load) => load.parsed },
    { title: 'LOADED', cell: (load) => load.loaded },
    { title: 'QUARANTINED', cell: (load) => load.quarantined },
    { title: 'DUPLICATE', cell: (load) => load.duplicate },
    { title: 'CONFLICTING', cell: (load) => load.conflicting },
    { title: 'SUPERSEDED', cell: (load) => load.superseded },
    { title: 'STARTED', cell: (load) => writeInstant(load.startedAt) },
    { title: 'ENDED', cell: (load) => (load.endedAt === null ? undefined : writeInstant(load.endedAt)) },
    { title: 'REASON', cell: (load) => load.reason ?? undefined },
  ]);
  return section(
    'Loads, newest first (parsed = loaded + quarantined + duplicate + conflicting + superseded)',
    table.split('\n'),
  );
}

function writeNotice({ at, text, acknowledgedAt, acknowledgedBy, acknowledgedReason }: ListedNotice): string {
  const state =
    acknowledgedAt === null
      ? 'not acknowledged yet'
      : `acknowledged at ${writeInstant(acknowledgedAt)} by ${acknowledgedBy}: ${acknowledgedReason}`;
  return `${writeInstant(at)}  ${text} (${state})`;
}

function writeEvent({ at, kind, finality, reason }: ListedEvent): string {
  return `${writeInstant(at)}  ${kind === 'finality' ? finality : kind}${reason === null ? '' : `: ${reason}`}`;
}

function writeFault({
  file,
  parsed,
  quarantined,
  firstError,
  firstErrorLine,
  unreadable,
}: FaultyFile): string {
  if (unreadable !== null) return `${file}: left out; ${unreadable}`;
  const place = firstErrorLine === null ? '' : `in line ${firstErrorLine}`;
  return `${file}: ${quarantined} of ${parsed} rows in quarantine; first ${place}: ${firstError}`;
}

function section(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : [title, ...lines.map((line) => `  ${line}`)].join('\n');
}
