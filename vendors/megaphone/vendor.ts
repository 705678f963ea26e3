import type { Marker } from '../completion.js';
import type { Look, SeenFile, Sorting, Vendor } from '../vendor.js';
import { whenWritten } from '../written.js';
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
  landing: (type) => {
    const { name, key } = megaphoneTables[known(type)];
    return { how: 'replace', tables: [{ name, key: [key] }] };
  },
  shape: (type) => ({ format: 'json lines', table: megaphoneTables[known(type)] }),
  deliveries: {
    are: 'days',
    name: (type, date) => deliveryName(known(type), date),
    parseName: parseDeliveryName,
    // Everything lies side by side below the root.
    typePrefix: () => '',
    prefixes: () => [''],
    parseDay: (type, key) => parseFileKey(known(type), key),
    // The file is there from the day's first hour on, and worth reading.
    beginWithDay: true,
    closeAfter: (type) => closesAfter(known(type)),
  },
  exampleName: '2026-11-20',
  // "Metrics will not be removed. Metrics will be added."
  onlyGrows: true,
  prefix: () => '',
  depth: 'level',
  look: ({ type, date }) => look(known(type), date),
  hasManifests: false,
  sorting: ({ type, date }) => sorting(known(type), date),
};

/** The file may have been written anew since it was seen. */
function sorting(type: MegaphoneType, date: string): Sorting {
  let marker: Marker | undefined;
  return {
    sort: ({ key, version }) => {
      const what = classify(key, type, date);
      if (what.kind === 'part') marker = { key, version };
      return what;
    },
    marker: () => marker,
    newness: whenWritten,
  };
}

/** The day's file is its own marker; the marker that closes a day is another file. */
function look(type: MegaphoneType, date: string): Look {
  const awaited = fileKey(type, date);
  let marker: SeenFile | undefined;
  let closed = false;
  return {
    prefixes: [''],
    see: ({ files }) => {
      marker ??= files.find(({ key }) => key === awaited);
      closed ||= files.some(({ key }) => finalizes(key, type, date));
      return marker !== undefined;
    },
    toRead: () => [],
    sighting: () => ({
      awaited,
      ...(marker ? { marker: { key: marker.key, version: marker.version } } : {}),
      ...(closed ? { closed } : {}),
    }),
  };
}

function known(type: string): MegaphoneType {
  if (isMegaphoneType(type)) return type;
  throw new RangeError(`Megaphone delivers ${megaphoneTypes.join(', ')}, not '${type}'`);
}
