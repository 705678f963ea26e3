/**
 * The key grammar of the export. Keys are relative to the store's root, and everything lies directly below it:
 *
 *     metrics-day-2026-11-20.json.gz                     one file a UTC day, "overwritten throughout the day"
 *     impression-day-2026-11-20.json.gz
 *     impressions-v2-day-2026-11-20.json.gz
 *     _finalized_impressions-v2_2026-11-20_1795258800    this day of the second version will not be written again
 */

import { isDay } from '../../model/day.js';
import type { Classified } from '../vendor.js';
import { megaphoneTables, type MegaphoneType } from './tables.js';

export const megaphoneTypes = Object.keys(megaphoneTables) as readonly MegaphoneType[];

export function isMegaphoneType(type: string): type is MegaphoneType {
  return Object.hasOwn(megaphoneTables, type);
}

/** What precedes the day. V1 says impression, V2 says impressions. */
const beginnings: Readonly<Record<MegaphoneType, string>> = {
  metrics: 'metrics-day-',
  impressions: 'impression-day-',
  'impressions-v2': 'impressions-v2-day-',
};

const ending = '.json.gz';

export function fileKey(type: MegaphoneType, date: string): string {
  return `${beginnings[type]}${date}${ending}`;
}

/** The day of a type's file; undefined for any other key and for what is no calendar day. */
export function parseFileKey(type: MegaphoneType, key: string): string | undefined {
  const beginning = beginnings[type];
  if (!key.startsWith(beginning) || !key.endsWith(ending)) return undefined;
  const date = key.slice(beginning.length, -ending.length);
  return isDay(date) ? date : undefined;
}

/** A delivery of metrics is called by its day alone, those of other types `impressions/2026-11-20`. */
export function deliveryName(type: MegaphoneType, date: string): string {
  return type === 'metrics' ? date : `${type}/${date}`;
}

export function parseDeliveryName(name: string): { type: MegaphoneType; date: string } | undefined {
  const steps = name.split('/');
  const date = steps.at(-1) ?? '';
  const type = steps.length === 1 ? 'metrics' : steps[0];
  if (type === undefined || !isMegaphoneType(type) || !isDay(date)) return undefined;
  return deliveryName(type, date) === name ? { type, date } : undefined;
}

/**
 * What the `<metric_type>` of `_finalized_<metric_type>_<partition_date>_<timestamp>` may say, in lower case without
 * separators: how the vendor spells it is not public. Such markers belong to the second version of the export, so one
 * that says just `impressions` means V2, and V1, whose file is written longer or shorter, is not closed by it.
 */
const finalizedNames: Readonly<Record<MegaphoneType, readonly string[]>> = {
  metrics: ['metrics', 'metric'],
  impressions: ['impressionsv1', 'impressionv1'],
  'impressions-v2': ['impressionsv2', 'impressionv2', 'impressions', 'impression'],
};

/** The first thing that looks like a day is the day: the timestamp behind it may look like one too. */
const finalized = /^_finalized_([^/]+?)_(\d{4})-?(\d{2})-?(\d{2})_[^/]+$/i;

/** Whether a key is the marker by which the vendor closes this day of this type. */
export function finalizes(key: string, type: MegaphoneType, date: string): boolean {
  const [, metricType, ...day] = finalized.exec(key) ?? [];
  if (metricType === undefined || day.join('-') !== date) return false;
  return finalizedNames[type].includes(metricType.toLowerCase().replaceAll(/[^a-z0-9]/g, ''));
}

/** Says what an object below the root is to a delivery, by its key. */
export function classify(key: string, type: MegaphoneType, date: string): Classified {
  if (key === fileKey(type, date)) return { kind: 'part', partitionValue: null };
  if (finalizes(key, type, date)) return { kind: 'marker' };
  // Consoles keep empty objects whose key ends in a slash to show a folder.
  if (key === '' || key.endsWith('/')) return { kind: 'ignored', reason: 'folder' };
  if (key.includes('/')) return { kind: 'ignored', reason: 'in a folder' };
  if (finalized.test(key)) return { kind: 'ignored', reason: 'marker of another delivery' };
  const other = megaphoneTypes.some((candidate) => parseFileKey(candidate, key) !== undefined);
  return { kind: 'ignored', reason: other ? 'file of another delivery' : 'not of this export' };
}
