/** Where a command works: the configuration, and how to reach Postgres and Temporal. */

import { ConfigError } from '../config/config-error.js';
import { loadConfig, loadConfigIfAny } from '../config/load.js';
import type { Config } from '../config/schema.js';
import { secret, type Secret } from '../config/secret.js';
import type { TemporalAccess } from '../config/temporal.js';
import { readDevState, type DevState } from './dev-state.js';
import type { Terminal } from './terminal.js';

export interface Place {
  readonly config: Config;
  /** Throws a `ConfigError` when no database is configured and `landfall dev` does not run. */
  postgresUrl(): Secret;
  /** Throws a `ConfigError` when no connection is configured and `landfall dev` does not run. */
  temporal(): Promise<TemporalAccess>;
  /** Address of Temporal's Web UI, where it is known. */
  readonly webUi: string | undefined;
}

/** The configuration that was named, or landfall.yaml, or what a running `landfall dev` works with. */
export async function openPlace(configPath: string | undefined, terminal: Terminal): Promise<Place> {
  const { env, cwd } = terminal;
  const dev = await readDevState(cwd);
  const named = { env, cwd, ...(configPath === undefined ? {} : { path: configPath }) };
  const own = await loadConfigIfAny(named);
  // Where the configuration names no source, dev has made one that does.
  const made = dev?.configPath;
  const config =
    own !== undefined && (own.sources.length > 0 || made === undefined)
      ? own
      : await loadConfig(made === undefined ? named : { ...named, path: made });
  return placeOf(config, dev, terminal);
}

function placeOf(config: Config, dev: DevState | undefined, { env }: Terminal): Place {
  return {
    config,
    webUi: config.temporal.webUi ?? dev?.webUi,
    postgresUrl: () => {
      if (config.postgres) return config.postgres.url;
      if (dev?.postgresUrl !== undefined) return secret(dev.postgresUrl);
      throw new ConfigError(
        `No Postgres is configured, and no 'landfall dev' runs in this directory. Set postgres.url in ` +
          `${config.configPath}, or start 'landfall dev', which brings its own.`,
      );
    },
    temporal: async () => {
      const { configuredTemporal } = await import('../config/temporal.js');
      const configured = configuredTemporal(config.temporal.profile, env);
      if (configured) return configured;
      if (dev?.temporal) {
        const { address, namespace } = dev.temporal;
        return { connectionOptions: { address }, namespace };
      }
      throw new ConfigError(
        `No Temporal is configured, and no 'landfall dev' runs in this directory. Set TEMPORAL_ADDRESS or an address in ` +
          `temporal.toml, as for the temporal CLI, or start 'landfall dev', which brings its own.`,
      );
    },
  };
}
