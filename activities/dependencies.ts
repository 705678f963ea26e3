import type { Client } from '@temporalio/client';
import type pg from 'pg';

import type { ReaderSettings } from '../reader/duckdb.js';
import type { Delivery } from '../model/delivery.js';
import type { Store } from '../stores/store.js';
import type { Vendor } from '../vendors/vendor.js';
import type { SourceConfig } from '../config/schema.js';
import type { BatchLimits } from '../warehouse/plan-request.js';
import type { Turns } from './turns.js';

/** A source as activities see it: its configuration, its vendor's rules and its open store. */
export interface OpenSource {
  readonly config: SourceConfig;
  readonly vendor: Vendor;
  readonly store: Store;
  /** Where the files of a delivery lie: the store, or the results of an export that was asked for. */
  readonly storeOf: (delivery: Delivery) => Store;
}

/** What activities work with; made once a worker and handed in, so that tests hand in their own. */
export interface Dependencies {
  readonly pool: pg.Pool;
  /** Throws `SourceMissing` for a source that the worker's configuration does not name. */
  readonly source: (name: string) => OpenSource;
  /** For asking whether a delivery's workflow still runs. */
  readonly client: Client;
  readonly reader: ReaderSettings;
  /** Local folder for files on their way. */
  readonly spoolDirectory: string;
  /** Bounds the readers that work at the same time, and with them memory. */
  readonly readers: Turns;
  /** How many files, and bytes of them, make a step; the measured ones by default. */
  readonly batchLimits?: BatchLimits | undefined;
}
