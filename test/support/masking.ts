import { writeFile } from 'node:fs/promises';

import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import type pg from 'pg';

import type { Dependencies } from '../../activities/dependencies.js';
import { createStage } from '../../activities/stage.js';
import { turns } from '../../activities/turns.js';
import { maskDigest } from '../../config/mask-digest.js';
import type { SourceConfig } from '../../config/schema.js';
import { deliveryId } from '../../model/delivery.js';
import { vendors } from '../../vendors/registry.js';
import type { Vendor } from '../../vendors/vendor.js';
import { openDelivery } from '../../warehouse/ledger-delivery.js';
import { setMask } from '../../warehouse/mask-changes.js';
import { planLoad } from '../../warehouse/plan-load.js';
import { prepareSource } from '../../warehouse/prepare-source.js';
import { publishLoad } from '../../warehouse/publish-load.js';
import { inTemporaryFolder, prefix, sourceOf } from './landfall.js';
import { testDatabase, type TestDatabase } from './postgres.js';
import { file, inPages } from '../warehouse/planning.js';

export const maskKey = 'a key that is as long as a hash…';

export interface MaskedFile {
  readonly key: string;
  readonly bytes: string | Buffer;
}

export interface MaskedSource {
  readonly database: TestDatabase;
  readonly config: SourceConfig;
  /** What was logged. */
  readonly logged: () => string;
  /** Stages files with a new worker's step, from a store that has them, and publishes them; by day, or by job. */
  readonly load: (
    type: string,
    name: string,
    files: readonly MaskedFile[],
    by?: SourceConfig,
  ) => Promise<void>;
  /** The source with other settings. */
  readonly changed: (settings: Record<string, unknown>) => SourceConfig;
  /** Sets the rules of a configuration, as `landfall setup` does. */
  readonly setUp: (config: SourceConfig) => Promise<boolean>;
  /** Every row of every table of the source, the staging schema and the ledger, as text; with what was logged. */
  readonly everything: () => Promise<string>;
  readonly drop: () => Promise<void>;
}

/** Nothing is asked of it: files are handed to the step. */
const sftpStore = {
  ...{ type: 'sftp', username: 'u', password: 'p', root: '1234/raw_data/session_stream/' },
  hostKey: `SHA256:${'A'.repeat(43)}`,
};

/** A source of its own database, whose steps are done by hand. `watch` is told of all there is while rows are staged. */
export async function maskedSource(
  vendor: keyof typeof vendors,
  settings: Record<string, unknown>,
  watch: (everything: string) => void = () => undefined,
): Promise<MaskedSource> {
  const database = await testDatabase();
  const store = vendor === 'monetate' ? sftpStore : { type: 's3', bucket: 'b', prefix };
  const changed = (given: Record<string, unknown>): SourceConfig =>
    sourceOf(JSON.stringify({ sources: { masked: { vendor, schema: 'masked', store, ...given } } }));
  const config = changed(settings);
  await prepareSource(database.pool, config, vendors[vendor].scripts);
  await setMask(database.pool, 'masked', maskDigest(config));
  let log = '';
  const everything = async (): Promise<string> => `${await allRows(database.pool)}\n${log}`;
  const rules: Vendor = vendors[vendor];
  return {
    database,
    config,
    logged: () => log,
    everything,
    changed,
    setUp: (by) => setMask(database.pool, 'masked', maskDigest(by)),
    load: async (type, name, files, by = config) => {
      const date = '2026-11-20';
      const delivery = { id: deliveryId('masked', name), source: 'masked', type, date };
      const target = { schema: 'masked', date, ...rules.landing(type) };
      await openDelivery(database.pool, delivery, 0);
      const { loadId } = await planLoad(database.pool, {
        ...{
          deliveryId: delivery.id,
          source: 'masked',
          target,
          request: `load-${Math.random()}`,
          force: true,
        },
        ...{ marker: () => undefined, files: inPages(files.map(({ key }) => file(key))) },
        limits: { files: 1_000, bytes: 1e9 },
      });
      await inTemporaryFolder(async (folder) => {
        const fetch = async ({ key }: { key: string }, path: string): Promise<void> =>
          writeFile(path, files.find((given) => given.key === key)?.bytes ?? '');
        const opened = { config: by, vendor: rules, storeOf: () => ({ fetch }) };
        const stage = createStage({
          ...{ pool: database.pool, source: () => opened, spoolDirectory: folder, readers: turns(1) },
          reader: { memoryLimit: '256MB', threads: 1, spillDirectory: folder },
        } as unknown as Dependencies);
        const logger = new DefaultLogger('TRACE', (entry) => (log += `${JSON.stringify(entry, bigints)}\n`));
        const environment = new MockActivityEnvironment({}, { logger });
        environment.on('heartbeat', (details) => (log += JSON.stringify(details)));
        await environment.run(stage, { delivery, loadId, batch: 0 }).catch((error: Error) => {
          log += `${error.message}\n${error.stack ?? ''}\n`;
          throw error;
        });
      });
      watch(await everything());
      await publishLoad(database.pool, {
        ...{ loadId, deliveryId: delivery.id, target, quarantineLimit: 1 },
        ...{ finality: 'final', reason: 'by hand', onlyGrows: false },
      });
    },
    drop: database.drop,
  };
}

function bigints(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}

async function allRows(pool: pg.Pool): Promise<string> {
  const { rows: tables } = await pool.query<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables
     where schemaname in ('masked', 'landfall', 'landfall_staging', 'landfall_superseded')`,
  );
  const texts = await Promise.all(
    tables.map(async ({ name }) => {
      const { rows } = await pool.query<{ row: string }>(`select t::text as row from ${name} t`);
      return rows.map(({ row }) => `${name}: ${row}`).join('\n');
    }),
  );
  return texts.join('\n');
}
