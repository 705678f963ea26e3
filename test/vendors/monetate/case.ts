import type { Asked, Clock, Decision, Standing, Watch } from '../../../vendors/completion.js';
import { decide } from '../../../vendors/monetate/completion.js';
import { closesAfter, stoodStill } from '../../../vendors/monetate/day-case.js';
import { dayFolder, parseKey } from '../../../vendors/monetate/layout.js';
import { lookAtDay, type DaySighting } from '../../../vendors/monetate/sighting.js';
import type { SeenFile } from '../../../vendors/vendor.js';

export const minute = 60_000;
export const hour = 60 * minute;
export const day = 24 * hour;

export const date = '2026-11-20';
export const own = '2026/11/20/';
export const next = '2026/11/21/';

/** `20T14:30` is half past two (UTC) on 2026-11-20. */
export const at = (instant: string): number => Date.parse(`2026-11-${instant}:00Z`);

/** When the last session of the day has ended, and from when on a look can make it final. */
export const closesAt = at('21T12:30');
export const quiet = at('21T13:30');
export const deadline = at('24T00:00');

/** A file of the interval that begins then. It is written 20 minutes later unless said otherwise. */
export function file(from: string, more: Partial<SeenFile> & { readonly unique?: number } = {}): SeenFile {
  const { unique = 1, ...said } = more;
  const instant = at(from);
  const name = new Date(instant).toISOString().replaceAll(/[-:]/g, '');
  const size = said.size ?? 100;
  const modified = said.modified ?? instant + 20 * minute;
  const folder = dayFolder(new Date(instant).toISOString().slice(0, 10));
  return {
    key: `${folder}${name}_PT15M-${unique}.json.gz`,
    ...{ size, modified, version: `${size}-${modified}` },
    ...said,
  };
}

export interface Seen {
  /** Up to when files are known to have stood still. */
  readonly still?: number | undefined;
  /** How many of the next day's files readers do not see. */
  readonly unloaded?: number;
  readonly folders?: readonly string[];
  readonly closesAt?: number;
}

export function sight(files: readonly SeenFile[], seen: Seen = {}): DaySighting {
  const look = lookAtDay(date, { closesAt: seen.closesAt ?? closesAt, upTo: seen.still });
  look.see({ files: [], folders: seen.folders ?? ['2025/', '2026/'] });
  const sorted = [...files].sort((a, b) => (a.key < b.key ? -1 : 1));
  for (const folder of [own, next]) {
    look.see({ files: sorted.filter(({ key }) => key.startsWith(folder)), folders: [] });
  }
  return look.sighting(seen.unloaded ?? 0);
}

export const fresh: Standing = { finality: 'waiting', published: false };

/** Readers see these files. */
export const loaded = (
  files: readonly SeenFile[],
  finality: Standing['finality'] = 'provisional',
): Standing => {
  const version = sight(files).everything?.version;
  return { finality, published: true, ...(version === undefined ? {} : { version }) };
};

export const nobody: Asked = { accepted: false, force: false };
export const accepted: Asked = { accepted: true, force: false };
export const forced: Asked = { accepted: false, force: true };

/** As a source without settings of its own has it. */
export const clock = (instant: string | number, more: Partial<Clock> = {}): Clock => ({
  now: typeof instant === 'number' ? instant : at(instant),
  deadline,
  waitingSince: at('20T00:00'),
  pollEvery: 15 * minute,
  closesAt: at('21T00:00') + closesAfter,
  settleFor: hour,
  ...more,
});

/** Whether it is one of the next day's files that the day waits for. */
function mayHoldSessions(key: string): boolean {
  const from = parseKey(key)?.from ?? 0;
  return from >= at('21T00:00') && from < closesAt;
}

/** A step of the day's life, for following it over many looks. */
export interface Step {
  readonly at: number;
  readonly decision: Decision;
}

/**
 * The looks of a day and what they led to, from `from` on until it comes to rest. `there` says what the store shows at an
 * instant; loads take no time, and the next delivery loads its files at every quarter of an hour.
 */
export function follow(
  from: number,
  there: (now: number) => readonly SeenFile[],
  most = 500,
): readonly Step[] {
  const steps: Step[] = [];
  let now = from;
  let watch: Watch | undefined;
  let ledger = fresh;
  while (steps.length < most) {
    const files = there(now);
    const unloaded = files.filter(
      ({ key, modified }) => mayHoldSessions(key) && modified > now - 15 * minute,
    ).length;
    const sighting = sight(files, { still: stoodStill(watch, clock(now)), unloaded });
    const decision = decide(sighting, ledger, clock(now), nobody, watch);
    steps.push({ at: now, decision });
    watch = decision.watch;
    if (decision.step === 'load') {
      const version = decision.marker?.version;
      ledger = {
        ...{ finality: decision.finality, published: true },
        ...(version === undefined ? {} : { version }),
      };
      if (decision.finality === 'final') break;
    } else if (decision.step === 'wait') now = decision.until;
    else break;
  }
  return steps;
}
