/**
 * Invented lines in the vendor's exact schema, as DuckDB expressions of JSON text. Everything about a line follows from
 * its number, the seed and the version, so the same call makes the same bytes on every machine.
 *
 * Shapes are those of real values: addresses are hashes, more bytes are sent than a file has where it was played twice,
 * cities are not ASCII, some fields are null and some keys absent. What `source` means the vendor does not say.
 */

import { createHash } from 'node:crypto';

import { asUuid } from './versions.js';
import { quote } from '../quote.js';

/** Keys of a metric in the order of the vendor's page. */
export const metricFields = [
  'country',
  'dma_name',
  'normalized_user_agent',
  'city',
  'ip',
  'created_at',
  'podcast_id',
  'source',
  'filesize',
  'bytes_sent',
  'seconds_downloaded',
  'duration',
  'blacklisted_ip',
  'episode_id',
  'blacklisted_ua',
  'id',
  'region',
  'user_agent',
] as const;

export type MetricField = (typeof metricFields)[number];

/** Each field as an expression over `versionedMetrics` that gives JSON text, or NULL where the key is absent. */
export type JsonColumns<Field extends string> = Readonly<Record<Field, string>>;

/** A line of these fields in their order, without its line feed. */
export function jsonLine<Field extends string>(
  fields: readonly Field[],
  columns: JsonColumns<Field>,
): string {
  const pairs = fields.map((field) => `'"${field}":' || (${columns[field]})`);
  return `'{' || concat_ws(',', ${pairs.join(',\n')}) || '}'`;
}

/** A choice of JSON values by the hash `h`; null stands for JSON's null, undefined for an absent key. */
export function choose(
  shift: number | string,
  choices: readonly (string | number | null | undefined)[],
): string {
  const texts = choices.map((value) => quote(value === undefined ? null : JSON.stringify(value)));
  return `[${texts.join(', ')}][1 + ((h >> ${shift}) % ${choices.length})::INTEGER]`;
}

/** A made-up UUID, the same for the same name. */
export function inventedUuid(name: string): string {
  return asUuid(createHash('md5').update(name).digest('hex'));
}

/** JSON text of a string expression that needs no escapes. */
export const plainString = (expression: string): string => `'"' || ${expression} || '"'`;

/** JSON text of a column that may be NULL. */
export const orNull = (column: string): string => `coalesce(${column}::VARCHAR, 'null')`;

const episodes = Array.from({ length: 96 }, (_, number) => ({
  podcast: inventedUuid(`podcast ${number % 8}`),
  episode: inventedUuid(`episode ${number}`),
  filesize: 18_000_000 + number * 517_403,
}));

/** Columns of an episode, chosen so that podcast, episode, size and duration belong together. */
const ofEpisode = (column: (episode: (typeof episodes)[number]) => string | number): string =>
  choose(20, episodes.map(column));

export const podcastId = ofEpisode(({ podcast }) => podcast);
export const episodeId = ofEpisode(({ episode }) => episode);

const places = [
  { country: 'US', region: 'TX', city: 'Dallas', dma: 'Dallas-Ft. Worth, TX' },
  { country: 'US', region: 'NY', city: 'New York', dma: 'New York, NY' },
  { country: 'US', region: 'CA', city: 'San José', dma: 'San Francisco-Oakland-San Jose, CA' },
  { country: 'US', region: 'CA', city: 'Los Angeles', dma: 'Los Angeles, CA' },
  { country: 'US', region: 'IL', city: 'Chicago', dma: 'Chicago, IL' },
  { country: 'US', region: 'WA', city: null, dma: 'Seattle-Tacoma, WA' },
  { country: 'CA', region: 'QC', city: 'Montréal', dma: null },
  { country: 'GB', region: 'ENG', city: 'London', dma: null },
  { country: 'DE', region: 'BY', city: 'München', dma: null },
  { country: 'BR', region: 'SP', city: 'São Paulo', dma: undefined },
  { country: 'PL', region: 'DS', city: 'Wrocław', dma: undefined },
  { country: 'JP', region: '13', city: '東京', dma: null },
  { country: null, region: undefined, city: undefined, dma: undefined },
] as const;

/** An agent's text has one number that goes up with its releases. */
const agents = [
  { name: 'Apple Podcasts', before: 'Podcasts/1', after: '.1 CFNetwork/1329 Darwin/21.3.0' },
  {
    name: 'Apple Podcasts',
    before: 'AppleCoreMedia/1.0.0.',
    after: ' (iPhone; U; CPU OS 26_1 like Mac OS X)',
  },
  { name: 'Spotify', before: 'Spotify/9.0.', after: ' Android/36 (SM-S938B)' },
  { name: 'Overcast', before: 'Overcast/', after: ' (+http://overcast.fm/; iOS podcast app)' },
  { name: 'Chrome', before: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/', after: '.0.0.0' },
  // As Ruby escapes them; the reader has to turn them back.
  { name: 'AntennaPod', before: 'AntennaPod/3.', after: String.raw` \"caf\u00e9\" \\ \u0026 \ud83c\udfa7` },
  { name: null, before: 'okhttp/4.', after: '' },
] as const;

const agent = (part: 'before' | 'after'): string =>
  `[${agents.map((item) => quote(item[part])).join(', ')}][1 + ((h >> 9) % ${agents.length})::INTEGER]`;

export const normalizedUserAgent = choose(
  9,
  agents.map(({ name }) => name),
);
export const createdAt = plainString(`strftime(make_timestamp_ms(created), '%Y-%m-%dT%H:%M:%S.%gZ')`);

export const metricColumns: JsonColumns<MetricField> = {
  country: choose(
    3,
    places.map(({ country }) => country),
  ),
  dma_name: choose(
    3,
    places.map(({ dma }) => dma),
  ),
  normalized_user_agent: normalizedUserAgent,
  city: choose(
    3,
    places.map(({ city }) => city),
  ),
  // One of 2^20 made-up addresses.
  ip: plainString(`md5('address ' || (h >> 40) % 1048576)`),
  created_at: createdAt,
  podcast_id: podcastId,
  source: `CASE WHEN u = 996 THEN NULL WHEN v % 5 = 0 THEN '1' ELSE '0' END`,
  filesize: ofEpisode(({ filesize }) => filesize),
  bytes_sent: 'bytes::VARCHAR',
  seconds_downloaded: orNull('seconds'),
  // 128 kbit/s.
  duration: ofEpisode(({ filesize }) => Math.round(filesize / 160) / 100),
  blacklisted_ip: 'blacklisted_ip::VARCHAR',
  episode_id: episodeId,
  blacklisted_ua: orNull('blacklisted_ua'),
  id: plainString('id::UUID::VARCHAR'),
  region: choose(
    3,
    places.map(({ region }) => region),
  ),
  // One in 1,000 is as long as agents get.
  user_agent: plainString(
    `${agent('before')} || (100 + v % 60) || ${agent('after')} || CASE WHEN v % 1000 = 1 THEN repeat('+', 4000) ELSE '' END`,
  ),
};
