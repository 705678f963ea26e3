import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { SourceConfig } from '../config/schema.js';
import { withDuckDb } from '../reader/duckdb.js';
import { describeFile } from '../reader/read-file.js';
import { openStore } from '../stores/open.js';
import type { Store, StoredFile } from '../stores/store.js';
import { vendors } from '../vendors/registry.js';
import type { FileShape, Table } from '../vendors/table.js';
import type { Vendor } from '../vendors/vendor.js';

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
      if (file) return await sniff(store, file, vendor.shape(type, file.key), vendor.table(type));
    }
    return undefined;
  } finally {
    await store.close();
  }
}

async function firstPart(store: Store, vendor: Vendor, type: string): Promise<StoredFile | undefined> {
  const depth = vendor.depth;
  for await (const page of store.list(vendor.daysPrefix(type), { depth })) {
    for (const file of page.files) {
      // A day is a file, or the folder that it lies in.
      const folder = /^[^/]+\/[^/]+\//.exec(file.key)?.[0] ?? file.key;
      const day = vendor.parseDay(type, folder);
      if (day !== undefined && vendor.classify(file.key, type, day).kind === 'part') return file;
    }
  }
  return undefined;
}

async function sniff(store: Store, file: StoredFile, shape: FileShape, table: Table): Promise<Sniffed> {
  const folder = await mkdtemp(join(tmpdir(), 'landfall-sniff-'));
  try {
    const path = join(folder, 'part');
    await store.fetch(file, path);
    const reader = { memoryLimit: '256MB', threads: 1, spillDirectory: folder };
    const { signal } = new AbortController();
    const at = { path, key: file.key };
    const { rows, columns: there } = await withDuckDb(reader, signal, (connection) =>
      describeFile(connection, shape.format, at, folder, signal),
    );
    const known = table.columns.map(({ field }) => field);
    return {
      file: file.key,
      rows,
      columns: there.length,
      unknown: there.filter((name) => !known.includes(name)),
      missing: known.filter((name) => !there.includes(name)),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
