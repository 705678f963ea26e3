import type pg from 'pg';

import { hasStore, type SourceConfig } from '../config/schema.js';
import type { Delivery } from '../model/delivery.js';
import { Failure, failureTypes } from '../model/failure.js';
import { openInbox } from '../stores/inbox.js';
import { lazyStore } from '../stores/lazy.js';
import type { LeanplumApi } from '../stores/leanplum-api.js';
import { openExportResults } from '../stores/leanplum-export.js';
import { openStore } from '../stores/open.js';
import type { Store } from '../stores/store.js';
import { vendors } from '../vendors/registry.js';
import type { OpenSource } from './dependencies.js';

/** Opens each source's store when it is first asked for; `close` ends their connections. `pool` leads to the inbox. */
export function openSources(
  configured: readonly SourceConfig[],
  pool: pg.Pool,
  open: (source: SourceConfig) => Store = openStore,
): {
  source: (name: string) => OpenSource;
  close: () => Promise<void>;
} {
  const opened = new Map<string, OpenSource>();
  return {
    source: (name) => {
      const known = opened.get(name);
      if (known) return known;
      const config = configured.find((candidate) => candidate.name === name);
      if (!config) {
        throw sourceMissing(`source '${name}'`);
      }
      const store = hasStore(config) ? open(config) : lazyStore(`inbox of ${name}`, () => noStore(config));
      const source = {
        config,
        vendor: vendors[config.vendor],
        store,
        storeOf: (delivery: Delivery) =>
          hasStore(config) ? (openResults(config, delivery) ?? store) : openInbox(pool, delivery),
      };
      opened.set(name, source);
      return source;
    },
    close: async () => {
      await Promise.all([...opened.values()].map(({ store }) => store.close()));
    },
  };
}

/** What a vendor sends is a file only once it belongs to a delivery. */
function noStore({ name, vendor }: SourceConfig): Promise<never> {
  return Promise.reject(
    new Failure(
      failureTypes.configInvalid,
      `Source '${name}' has no store that could be listed: what ${vendor} sends lies in landfall.inbox, by delivery.`,
    ),
  );
}

/** The results of an export that was asked for; undefined for a delivery whose files lie in the store. */
function openResults(config: SourceConfig, { exportJob, date }: Delivery): Store | undefined {
  return exportJob === undefined ? undefined : openExportResults(exportApi(config), { exportJob, date });
}

/** By which exports are asked for. Throws `SourceMissing` for a source that names none. */
export function exportApi(config: SourceConfig): LeanplumApi {
  if (config.vendor === 'leanplum' && config.api !== undefined) return config.api;
  throw sourceMissing(`sources.${config.name}.api, by which exports are asked for and read,`);
}

/**
 * Workers are restarted one after the other, so another one may have it already. Said only when several attempts met
 * workers without it.
 */
export function sourceMissing(what: string): Failure {
  return new Failure(
    failureTypes.sourceMissing,
    `No worker that polls this queue has ${what} in its configuration. Add it to the configuration of every worker and ` +
      `restart them; the step waits for that.`,
  );
}
