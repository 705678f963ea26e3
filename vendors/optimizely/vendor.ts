import type { Vendor } from '../vendor.js';
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
  shape: (type) => ({ format: 'parquet', table: optimizelyTables[known(type)] }),
  deliveryName: ({ type, date }) => `${type}/${date}`,
  parseDeliveryName: (name) => {
    const [type, date, ...more] = name.split('/');
    if (type === undefined || date === undefined || more.length > 0) return undefined;
    return { type, date };
  },
  exampleName: 'events/2026-11-20',
  beginsWithDay: false,
  onlyGrows: false,
  closesAfter: () => undefined,
  daysPrefix: (type) => typePrefix(known(type)),
  parseDay: (_type, folder) => parseDayFolder(folder),
  prefix: (type, date) => dayPrefix(known(type), date),
  depth: 'deep',
  sight: (type, date, before, files) => {
    const awaited = markerKey(known(type), date);
    const marker = before?.marker ?? files.find(({ key }) => key === awaited);
    return { awaited, ...(marker ? { marker: { key: marker.key, version: marker.version } } : {}) };
  },
  classify: (key, type, date) => classify(key, known(type), date),
};

function known(type: string): OptimizelyType {
  if (isOptimizelyType(type)) return type;
  throw new RangeError(`Optimizely delivers ${optimizelyTypes.join(' and ')}, not '${type}'`);
}
