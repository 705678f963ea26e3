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
  typePrefix: (type) => typePrefix(known(type)),
  dayPrefix: (type, date) => dayPrefix(known(type), date),
  markerKey: (type, date) => markerKey(known(type), date),
  parseDayFolder,
  classify: (key, type, date) => classify(key, known(type), date),
};

function known(type: string): OptimizelyType {
  if (isOptimizelyType(type)) return type;
  throw new RangeError(`Optimizely delivers ${optimizelyTypes.join(' and ')}, not '${type}'`);
}
