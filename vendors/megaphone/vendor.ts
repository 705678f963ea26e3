import type { Sighting } from '../completion.js';
import type { SeenFile, Vendor } from '../vendor.js';
import { closesAfter } from './completion.js';
import {
  classify,
  deliveryName,
  fileKey,
  finalizes,
  isMegaphoneType,
  megaphoneTypes,
  parseDeliveryName,
  parseFileKey,
} from './layout.js';
import { megaphoneTables, type MegaphoneType } from './tables.js';

export const megaphone: Vendor = {
  name: 'megaphone',
  types: megaphoneTypes,
  scripts: new URL('sql/', import.meta.url),
  table: (type) => megaphoneTables[known(type)],
  shape: (type) => ({ format: 'json lines', table: megaphoneTables[known(type)] }),
  deliveryName: ({ type, date }) => deliveryName(known(type), date),
  parseDeliveryName,
  exampleName: '2026-11-20',
  // The file is there from the day's first hour on, and worth reading.
  beginsWithDay: true,
  // "Metrics will not be removed. Metrics will be added."
  onlyGrows: true,
  closesAfter: (type) => closesAfter(known(type)),
  // Everything lies side by side below the root.
  daysPrefix: () => '',
  parseDay: (type, key) => parseFileKey(known(type), key),
  prefix: () => '',
  depth: 'level',
  sight: (type, date, before, files) => sight(known(type), date, before, files),
  classify: (key, type, date) => classify(key, known(type), date),
};

/** The day's file is its own marker; the marker that closes a day is another file. */
function sight(
  type: MegaphoneType,
  date: string,
  before: Sighting | undefined,
  files: readonly SeenFile[],
): Sighting {
  const awaited = fileKey(type, date);
  const marker = before?.marker ?? files.find(({ key }) => key === awaited);
  const closed = before?.closed === true || files.some(({ key }) => finalizes(key, type, date));
  return {
    awaited,
    ...(marker ? { marker: { key: marker.key, version: marker.version } } : {}),
    ...(closed ? { closed } : {}),
  };
}

function known(type: string): MegaphoneType {
  if (isMegaphoneType(type)) return type;
  throw new RangeError(`Megaphone delivers ${megaphoneTypes.join(', ')}, not '${type}'`);
}
