import { nameOf } from '../../model/delivery.js';
import type { Look, SeenFile, Vendor } from '../vendor.js';
import { parseBatch } from './layout.js';
import { newnessOf } from './newness.js';
import { setupHints } from './setup-hints.js';
import { session, storedTables } from './tables.js';

/** All that the export holds are user sessions. */
export const dynatraceTypes = ['sessions'] as const;

/** What Dynatrace sends is put into the inbox, of which a batch is gathered as one file. */
export const dynatrace: Vendor = {
  name: 'dynatrace',
  types: dynatraceTypes,
  scripts: new URL('sql/', import.meta.url),
  table: () => session,
  // A session may come again, from another of the endpoints or because an answer was lost.
  landing: () => ({ how: 'merge', tables: storedTables }),
  shape: () => ({ format: 'nested json lines', table: session }),
  deliveries: { are: 'batches', dayOf: parseBatch },
  exampleName: '2026-11-20/1042',
  onlyGrows: false,
  prefix: () => '',
  depth: 'level',
  look,
  hasManifests: false,
  sorting: (delivery) => ({
    sort: () => ({ kind: 'part', partitionValue: null }),
    newness: ({ modified }) => newnessOf(nameOf(delivery), modified),
  }),
  setupHints,
};

/** A batch is one file, which is there unless its bodies were deleted since. */
function look(): Look {
  let found: SeenFile | undefined;
  return {
    prefixes: [''],
    see: ({ files }) => {
      found ??= files[0];
      return found !== undefined;
    },
    toRead: () => [],
    sighting: () => ({
      awaited: 'its bodies in the inbox',
      ...(found ? { marker: { key: found.key, version: found.version } } : {}),
    }),
  };
}
