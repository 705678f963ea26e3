import { findSource } from '../config/find-source.js';
import { hasStore } from '../config/schema.js';
import type { Finding } from './checks/finding.js';
import { checkNames } from './checks/names.js';
import { checkPostgres } from './checks/postgres.js';
import { checkStore, type SniffSource } from './checks/store.js';
import { checkTemporal } from './checks/temporal.js';
import type { Output } from './output.js';
import type { Place } from './place.js';
import type { ExitCode } from './session.js';

/** Looks at every part, whatever is wrong with the others, and says how to mend what is wrong. */
export async function check(
  place: Place,
  name: string | undefined,
  output: Output,
  sniff?: SniffSource,
): Promise<ExitCode> {
  const { config } = place;
  const sources = name === undefined ? config.sources : [findSource(config.sources, name)];
  const found = await Promise.all([
    checkPostgres(place, sources),
    checkTemporal(place, sources),
    ...sources.filter(hasStore).map((source) => checkStore(source, sniff)),
    ...sources.map(checkNames),
  ]);
  const findings: readonly Finding[] = [
    {
      part: 'configuration',
      what: config.configPath,
      ok: true,
      found: `valid, ${config.sources.length} ${config.sources.length === 1 ? 'source' : 'sources'}`,
    },
    ...found.flat(),
  ];
  output.result(findings, () => writeFindings(findings));
  return findings.every(({ ok }) => ok) ? 0 : 1;
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
