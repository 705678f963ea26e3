import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { SourceConfig } from '../config/schema.js';
import { deliveryId, type Delivery } from '../model/delivery.js';
import { withDuckDb } from '../reader/duckdb.js';
import { refuseOtherFormats } from '../reader/other-format.js';
import { describeFile, formatNames } from '../reader/read-file.js';
import { openStore } from '../stores/open.js';
import type { Store, StoredFile } from '../stores/store.js';
import { vendors } from '../vendors/registry.js';
import type { FileShape } from '../vendors/table.js';
import type { Days, Jobs, Vendor } from '../vendors/vendor.js';
import { inFolder } from './in-folder.js';

/** What one file of a source says about the export. */
export interface Sniffed {
  readonly file: string;
  readonly rows: number;
  readonly columns: number;
  /** Fields that the vendor's schema does not have; they are kept in `_extra`. */
  readonly unknown: readonly string[];
  /** Fields of the vendor's schema that the file does not have; their columns stay null. */
  readonly missing: readonly string[];
}

/** Reads the first part that the store lists, without loading it; undefined when there is none yet. */
export async function sniffSource(source: SourceConfig): Promise<Sniffed | undefined> {
  const vendor: Vendor = vendors[source.vendor];
  const store = openStore(source);
  try {
    for (const type of source.types) {
      const file = await firstPart(store, vendor, type);
      if (file) return await sniff(store, file, vendor.shape(type, file.key));
    }
    return undefined;
  } finally {
    await store.close();
  }
}

async function firstPart(store: Store, vendor: Vendor, type: string): Promise<StoredFile | undefined> {
  const { deliveries } = vendor;
  if (deliveries.are === 'batches') return undefined;
  for await (const page of store.list(deliveries.typePrefix(type))) {
    for (const file of page.files) {
      const delivery = deliveryOf(deliveries, type, file.key);
      if (!delivery) continue;
      const sorting = vendor.sorting(delivery, { take: 'all', read: new Map() });
      if (sorting.sort(file).kind === 'part') return file;
    }
  }
  return undefined;
}

/** The delivery that a file would belong to; its source does not matter here. */
function deliveryOf(deliveries: Days | Jobs, type: string, key: string): Delivery | undefined {
  // A day is a file, or a folder that it lies in.
  const places = [...key.matchAll(/\//g)].map(({ index }) => key.slice(0, index + 1)).concat(key);
  const date = places.map((place) => deliveries.parseDay(type, place)).find((day) => day !== undefined);
  if (date === undefined) return undefined;
  const name = deliveries.are === 'jobs' ? deliveries.parseJob(key) : deliveries.name(type, date);
  return name === undefined ? undefined : { id: deliveryId('', name), source: '', type, date };
}

async function sniff(store: Store, file: StoredFile, shape: FileShape): Promise<Sniffed> {
  return inFolder(tmpdir(), async (folder) => {
    const path = join(folder, 'part');
    await store.fetch(file, path);
    const reader = { memoryLimit: '256MB', threads: 1, spillDirectory: folder };
    const { signal } = new AbortController();
    const at = { path, key: file.key };
    await refuseOtherFormats(at, formatNames[shape.format]);
    const { rows, columns: there } = await withDuckDb(reader, signal, (connection) =>
      describeFile(connection, shape.format, at, folder, signal),
    );
    const known = fieldsOf(shape);
    return {
      file: file.key,
      rows,
      columns: there.length,
      unknown: there.filter((name) => !known.includes(name)),
      missing: known.filter((name) => !there.includes(name)),
    };
  });
}

/** What the vendor's schema calls the fields of a row. */
function fieldsOf(shape: FileShape): readonly string[] {
  if (shape.format === 'csv') return shape.columns.map(({ field }) => field);
  if (shape.format === 'documents') {
    const { columns, nested } = shape.table;
    const own = columns.flatMap((column) => ('field' in column ? [column.field] : []));
    return [...new Set([...own, ...nested.map(({ within }) => within.field)])];
  }
  const fields = shape.table.columns.map(({ field }) => field);
  if (shape.format !== 'nested json lines') return fields;
  return [...fields, ...shape.table.nested.map(({ within }) => within.field)];
}
