/**
 * Invented impressions: the advertisements that were in a download. They have no id of their own; `metric_id` tells the
 * metric. The values of `ad_source` and `type` are not public and made up here.
 */

import {
  choose,
  createdAt,
  episodeId,
  inventedUuid,
  normalizedUserAgent,
  orNull,
  plainString,
  podcastId,
  type JsonColumns,
} from './rows.js';

/** Fields of `impression-day-<date>.json.gz`. */
const fieldsOfV1 = [
  'metric_id',
  'network_id',
  'organization_id',
  'podcast_id',
  'episode_id',
  'advertisement_id',
  'order_id',
  'order_downloaded',
  'ad_source',
  'type',
  'position',
  'created_at',
  'normalized_user_agent',
  'seconds_downloaded',
  'bytes_sent',
  'byte_offset',
  'blacklisted_ip',
  'blacklisted_ua',
] as const;

/** V2 is known to add `impression_type`; its other fields are not public, so they are those of V1 here. */
export const impressionFields = {
  v1: fieldsOfV1,
  v2: [...fieldsOfV1, 'impression_type'],
} as const;

export type ImpressionSchema = keyof typeof impressionFields;
type ImpressionField = (typeof impressionFields)['v2'][number];

/** Four metrics have no, one, three and two impressions: which of the four the nth is of, and its place there. */
const metricOfSix = [1, 2, 2, 2, 3, 3] as const;
const positionOfSix = [0, 0, 1, 2, 0, 1] as const;

/** How many impressions so many metrics have. Those of the last three are written once the fourth has come. */
export function impressionsOf(metrics: number): number {
  return Math.floor(metrics / 4) * 6;
}

/** The number of the metric that impression `number` is of. */
export function metricOfImpression(number: number): number {
  return Math.floor(number / 6) * 4 + (metricOfSix[number % 6] ?? 0);
}

/** Relation of `i`, the impression's number, and `j`, its metric's. */
export function impressionNumbers(metrics: number): string {
  return `
    SELECT i, i // 6 * 4 + [${metricOfSix.join(', ')}][1 + i % 6] AS j
    FROM range(${impressionsOf(metrics)}) AS numbers(i)`;
}

const position = `[${positionOfSix.join(', ')}][1 + i % 6]`;
/** An advertisement every 16 MB. */
const byteOffset = `${position} * 16000000`;

const advertisements = Array.from({ length: 24 }, (_, number) => inventedUuid(`advertisement ${number}`));
const orders = Array.from({ length: 9 }, (_, number) => inventedUuid(`order ${number}`));

/** Each field as an expression over `versionedMetrics`. */
export const impressionColumns: JsonColumns<ImpressionField> = {
  metric_id: plainString('id::UUID::VARCHAR'),
  network_id: choose(0, [inventedUuid('network')]),
  organization_id: choose(0, [inventedUuid('organization')]),
  podcast_id: podcastId,
  episode_id: episodeId,
  advertisement_id: choose(`(13 + ${position})`, advertisements),
  order_id: choose(17, [...orders, null]),
  order_downloaded: `(bytes > ${byteOffset})::VARCHAR`,
  ad_source: choose(27, ['promo', 'order', 'order']),
  type: `[${['pre', 'mid', 'post'].map((name) => `'"${name}"'`).join(', ')}][1 + ${position}]`,
  position: `(${position})::VARCHAR`,
  created_at: createdAt,
  normalized_user_agent: normalizedUserAgent,
  seconds_downloaded: orNull('seconds'),
  bytes_sent: 'bytes::VARCHAR',
  byte_offset: `(${byteOffset})::VARCHAR`,
  blacklisted_ip: 'blacklisted_ip::VARCHAR',
  blacklisted_ua: orNull('blacklisted_ua'),
  impression_type: choose(29, ['SAI', 'DAI']),
};
