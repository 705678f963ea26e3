import type { SourceConfig } from '../config/schema.js';
import { Failure, failureTypes } from '../model/failure.js';
import { openStore } from '../stores/open.js';
import type { Store } from '../stores/store.js';
import { vendors } from '../vendors/registry.js';
import type { OpenSource } from './dependencies.js';

/** Opens each source's store when it is first asked for; `close` ends their connections. */
export function openSources(
  configured: readonly SourceConfig[],
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
        throw new Failure(
          failureTypes.configInvalid,
          `This worker's configuration has no source '${name}'. Add it to the configuration of every worker of the ` +
            `task queue, restart them, then reprocess the delivery.`,
        );
      }
      const store = open(config);
      const source = { config, vendor: vendors[config.vendor], store, storeOf: () => store };
      opened.set(name, source);
      return source;
    },
    close: async () => {
      await Promise.all([...opened.values()].map(({ store }) => store.close()));
    },
  };
}
