/**
 * What each version of a day's metrics file says. The vendor overwrites the file once per hour: metrics are added, none
 * is removed, and fields of those that were there may change under the same id.
 *
 * Version n of 1 to 24 is written when n hours of the day are over and holds what was created in them. 25 to 28 are the
 * night's, until 04:30Z; each brings a few latecomers. 29 comes after 04:30Z, as one real file did.
 *
 * All of it is stated twice, as a function for who expects something and as SQL for who writes files; a test holds one
 * against the other. Both count in whole numbers below 2^63, which come out alike.
 */

import { createHash } from 'node:crypto';

import { startOfDay } from '../../model/day.js';
import { quote } from '../quote.js';

/** The last version that is written before 04:30Z. */
export const finalVersion = 28;
/** The version of a vendor who is late. */
export const lateVersion = 29;

export interface MetricsDay {
  readonly date: string;
  /** Metrics of the whole day, as of version 28. */
  readonly rows: number;
  /** Another seed is another world. Default `sample`. */
  readonly seed?: string;
}

/** What may change from one version to the next. Null: the field is null, or its key is absent. */
export interface MetricState {
  readonly secondsDownloaded: number | null;
  readonly bytesSent: number;
  readonly blacklistedIp: boolean | null;
  readonly blacklistedUa: boolean | null;
}

/** How many metrics version `version` has: those numbered from 0 to this. Throws RangeError where there is none such. */
export function rowsIn({ rows }: Pick<MetricsDay, 'rows'>, version: number): number {
  if (!Number.isInteger(version) || version < 1 || version > lateVersion)
    throw new RangeError(`there is no version ${version} of a day, only 1 to ${lateVersion}`);
  const { punctual, late } = shares(rows);
  return version <= 24 ? Math.floor((punctual * version) / 24) : punctual + late * (version - 24);
}

/** The id of a metric, which every version gives it. */
export function metricId(day: Omit<MetricsDay, 'rows'>, number: number): string {
  return asUuid(digest(idKey(day) + String(number)));
}

/** A metric as version `version` has it. Throws RangeError where it has not come by then. */
export function metricIn(day: MetricsDay, number: number, version: number): MetricState {
  if (number >= rowsIn(day, version)) throw new RangeError(`version ${version} has no metric ${number} yet`);
  return stateOf(day, seedNumber(day), number, version);
}

/** What the vendor's reports count: "seconds_downloaded >= 60 and blacklisted_ip = false and blacklisted_ua = false". */
export function isReported({ secondsDownloaded, blacklistedIp, blacklistedUa }: MetricState): boolean {
  return (
    secondsDownloaded !== null &&
    secondsDownloaded >= 60 &&
    blacklistedIp === false &&
    blacklistedUa === false
  );
}

/** How many metrics of a version are reported, of those that `isCounted`. Takes 20 ms for 500,000. */
export function reportedIn(
  day: MetricsDay,
  version: number,
  isCounted: (number: number) => boolean = () => true,
): number {
  const seed = seedNumber(day);
  let reported = 0;
  for (let number = 0; number < rowsIn(day, version); number += 1) {
    if (isCounted(number) && isReported(stateOf(day, seed, number, version))) reported += 1;
  }
  return reported;
}

/**
 * A relation with the columns of `numbers` (which has `j`, the number of a metric), with `id` and `h`, hashes of the
 * number, and with what a version says of it: `created` (epoch ms), `u`, `v`, `seconds`, `bytes`, `blacklisted_ip`,
 * `blacklisted_ua`.
 */
export function versionedMetrics(day: MetricsDay, version: number, numbers: string): string {
  const { punctual, late } = shares(day.rows);
  const key = quote(idKey(day));
  const start = startOfDay(day.date);
  return `
    SELECT *,
      CASE
        WHEN u = 999 THEN NULL
        WHEN (v % 8 = 3 AND age = 0) OR (v % 16 = 5 AND ${version} < 26) THEN whole // 2
        ELSE whole END AS seconds,
      coalesce(seconds, 0) * 16000 + v % 65536 AS bytes,
      CASE WHEN u = 997 THEN NULL WHEN u % 50 = 7 THEN v % 2 = 1 OR age >= 2 ELSE false END AS blacklisted_ip,
      CASE WHEN u = 998 THEN NULL WHEN u % 80 = 12 THEN age < 3 ELSE u % 80 = 11 END AS blacklisted_ua
    FROM (
      SELECT *,
        ${version} - arrival AS age,
        CASE WHEN u < 100 THEN v % 60 WHEN u < 250 THEN 55 + v % 11 ELSE 61 + v % 3600 END AS whole,
        CASE WHEN arrival <= 24 THEN ${start} + (arrival - 1) * 3600000 + (h % 3600000)::BIGINT
          -- Latecomers are of the day's last four hours.
          ELSE ${start + 86_400_000 - 1} - (h % 14400000)::BIGINT END AS created
      FROM (
        SELECT *, mixed % 1000 AS u, mixed // 1000 AS v
        FROM (
          SELECT *, xor(folded, folded >> 13) AS mixed,
            CASE WHEN j < ${punctual} THEN (24 * (j + 1) + ${punctual - 1}) // ${Math.max(1, punctual)}
              ELSE 25 + (j - ${punctual}) // ${Math.max(1, late)} END AS arrival
          FROM (
            SELECT *, xor(spread, spread >> 15) * 1540483477 % 4294967296 AS folded
            FROM (
              SELECT *, md5(${key} || j) AS id, md5_number_lower(${key} || j) AS h,
                (j * 2654435761 + ${seedNumber(day)}) % 4294967296 AS spread
              FROM (${numbers})
            )
          )
        )
      )
    )`;
}

/**
 * One metric in 1,000 has no seconds; one in ten is short of a minute, one in seven within five seconds of it. A
 * download may be under way when it is first written (one in 8), or be corrected in the night (one in 16). Addresses
 * are found to be blacklisted two hours later, agents are taken off the list after three.
 */
function stateOf({ rows }: MetricsDay, seed: number, number: number, version: number): MetricState {
  const { punctual, late } = shares(rows);
  const arrival =
    number < punctual
      ? Math.ceil((24 * (number + 1)) / punctual)
      : 25 + Math.floor((number - punctual) / late);
  const age = version - arrival;

  // A multiplication, a fold and a multiplication: neighbours share no bits. Math.imul is exact modulo 2^32.
  const spread = (Math.imul(number, 2654435761) + seed) >>> 0;
  const folded = Math.imul(spread ^ (spread >>> 15), 1540483477) >>> 0;
  const mixed = (folded ^ (folded >>> 13)) >>> 0;
  const [u, v] = [mixed % 1000, Math.floor(mixed / 1000)];

  const whole = u < 100 ? v % 60 : u < 250 ? 55 + (v % 11) : 61 + (v % 3600);
  const isPartial = (v % 8 === 3 && age === 0) || (v % 16 === 5 && version < 26);
  const secondsDownloaded = u === 999 ? null : isPartial ? Math.floor(whole / 2) : whole;
  return {
    secondsDownloaded,
    bytesSent: (secondsDownloaded ?? 0) * 16_000 + (v % 65_536),
    blacklistedIp: u === 997 ? null : u % 50 === 7 && (v % 2 === 1 || age >= 2),
    blacklistedUa: u === 998 ? null : u % 80 === 12 ? age < 3 : u % 80 === 11,
  };
}

/** How many metrics come within the day's hours, and how many more with each version of the night. */
function shares(rows: number): { punctual: number; late: number } {
  const late = Math.min(Math.ceil(rows / 400), Math.floor(rows / 8));
  return { punctual: rows - 4 * late, late };
}

function idKey({ seed = 'sample', date }: Omit<MetricsDay, 'rows'>): string {
  return `${seed}/metrics/${date}/`;
}

function seedNumber({ seed = 'sample', date }: MetricsDay): number {
  return Number.parseInt(digest(`${seed}/${date}`).slice(0, 8), 16);
}

function digest(text: string): string {
  return createHash('md5').update(text).digest('hex');
}

/** The first 32 hexadecimal digits, in the groups of a UUID. */
export function asUuid(hex: string): string {
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
