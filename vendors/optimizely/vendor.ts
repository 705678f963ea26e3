import type { SeenFile, Vendor } from '../vendor.js';
import { whenWritten } from '../written.js';
import {
  classify,
  dayPrefix,
  isOptimizelyType,
  markerKey,
  optimizelyTypes,
  parseDayFolder,
  typePrefix,
} from './layout.js';
import { optimizelyTables, type OptimizelyType } from './tables.js';

export const optimizely: Vendor = {
  name: 'optimizely',
  types: optimizelyTypes,
  scripts: new URL('sql/', import.meta.url),
  table: (type) => optimizelyTables[known(type)],
  landing: (type) => {
    const { name, key } = optimizelyTables[known(type)];
    return { how: 'replace', tables: [{ name, key: [key] }] };
  },
  shape: (type) => ({ format: 'parquet', table: optimizelyTables[known(type)] }),
  deliveries: {
    are: 'days',
    name: (type, date) => `${type}/${date}`,
    parseName: (name) => {
      const [type, date, ...more] = name.split('/');
      if (type === undefined || date === undefined || more.length > 0) return undefined;
      return { type, date };
    },
    typePrefix: (type) => typePrefix(known(type)),
    prefixes: (type) => [typePrefix(known(type))],
    parseDay: (_type, folder) => parseDayFolder(folder),
    beginWithDay: false,
    closeAfter: () => undefined,
  },
  exampleName: 'events/2026-11-20',
  onlyGrows: false,
  markerIsApart: true,
  prefix: (type, date) => dayPrefix(known(type), date),
  depth: 'deep',
  look: ({ type, date }) => {
    const awaited = markerKey(known(type), date);
    let marker: SeenFile | undefined;
    return {
      prefixes: [dayPrefix(known(type), date)],
      see: ({ files }) => {
        marker ??= files.find(({ key }) => key === awaited);
        // A day may have 20,000 parts, which come after its marker.
        return marker !== undefined;
      },
      toRead: () => [],
      sighting: () => ({
        awaited,
        ...(marker ? { marker: { key: marker.key, version: marker.version } } : {}),
      }),
    };
  },
  hasManifests: false,
  sorting: ({ type, date }) => ({
    sort: ({ key }) => classify(key, known(type), date),
    newness: whenWritten,
  }),
};

function known(type: string): OptimizelyType {
  if (isOptimizelyType(type)) return type;
  throw new RangeError(`Optimizely delivers ${optimizelyTypes.join(' and ')}, not '${type}'`);
}
