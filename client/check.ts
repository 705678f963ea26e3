import { writeDuration } from '../config/duration.js';
import { findSource } from '../config/find-source.js';
import { hasStore, isSent, type SentSource, type StoredSource } from '../config/schema.js';
import { checkArrivals } from './checks/arrivals.js';
import type { Finding } from './checks/finding.js';
import { checkFinalDays } from './checks/final-days.js';
import { checkNames } from './checks/names.js';
import { checkPostgres } from './checks/postgres.js';
import { checkReceiver, formPart } from './checks/receiver.js';
import { checkStore, type SniffSource } from './checks/store.js';
import { checkTemporal } from './checks/temporal.js';
import type { Output } from './output.js';
import type { Place } from './place.js';
import type { ExitCode } from './session.js';

export interface CheckRequest {
  /** Only this source. */
  readonly source: string | undefined;
  /** How long to wait for what a vendor sends for the first time, in milliseconds; 0: not at all. */
  readonly wait: number;
  /** How long to wait for it to be loaded then, in milliseconds. Default 15 seconds. */
  readonly settlesWithin?: number;
  readonly sniff: SniffSource;
}

/** Looks at every part, whatever is wrong with the others, and says how to mend what is wrong. */
export async function check(
  place: Place,
  { source: name, wait, settlesWithin = 15_000, sniff }: CheckRequest,
  output: Output,
): Promise<ExitCode> {
  const { config } = place;
  const sources = name === undefined ? config.sources : [findSource(config.sources, name)];
  const sent = sources.filter(isSent);
  const found = await Promise.all([
    checkPostgres(place, sources),
    checkTemporal(place, sources),
    ...sources.filter(hasStore).map((source) => checkFiles(place, source, sniff)),
    ...sources.map(checkNames),
    ...sent.map((source) => checkReceiver(config, source)),
  ]);
  const first: readonly Finding[] = [
    {
      part: 'configuration',
      what: config.configPath,
      ok: true,
      found: `valid, ${config.sources.length} ${config.sources.length === 1 ? 'source' : 'sources'}`,
    },
    ...found.flat(),
  ];
  const arrivals = await untilInterrupted((signal) => {
    const waits = (source: SentSource): void =>
      output.note(
        describeWait(
          source,
          wait,
          first.filter(({ part }) => part === formPart(source)),
        ),
      );
    return Promise.all(
      sent.map((source) => checkArrivals(place, source, { wait, settlesWithin, signal, waits })),
    );
  });
  const findings = [...first, ...arrivals.flat()];
  output.result(findings, () => writeFindings(findings));
  return findings.every(({ ok }) => ok) ? 0 : 1;
}

/** A store that cannot be listed is asked no more: a login that is refused counts. */
async function checkFiles(
  place: Place,
  source: StoredSource,
  sniff: SniffSource,
): Promise<readonly Finding[]> {
  const found = await checkStore(source, sniff);
  const listed = found.every(({ what, ok }) => ok || what !== 'listing');
  return listed ? [...found, ...(await checkFinalDays(place, source))] : found;
}

/** Whoever waits has to know what to do meanwhile. */
function describeWait({ name }: SentSource, wait: number, findings: readonly Finding[]): string {
  return [
    `Nothing was sent for ${name} yet. What its vendor's form needs:`,
    ...findings.map(({ what, found }) => `  ${what}: ${found}`),
    `Waits up to ${writeDuration(wait)} for the first of it, such as a test export; Ctrl-C ends that.`,
  ].join('\n');
}

/** The first Ctrl-C aborts the signal; another one ends the process, as usual. */
async function untilInterrupted<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort();
  process.once('SIGINT', interrupt);
  try {
    return await work(interrupted.signal);
  } finally {
    process.off('SIGINT', interrupt);
  }
}

function writeFindings(findings: readonly Finding[]): string {
  const wrong = findings.filter(({ ok }) => !ok).length;
  return [
    ...findings.map(
      ({ part, what, ok, found, mend }) =>
        `${ok ? 'ok   ' : 'WRONG'}  ${part}: ${what}: ${found}${mend === undefined ? '' : `\n       ${mend}`}`,
    ),
    '',
    wrong === 0 ? 'Everything is in order.' : `${wrong} of ${findings.length} checks found something wrong.`,
  ].join('\n');
}
