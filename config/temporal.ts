/**
 * How to reach Temporal: temporal.toml and TEMPORAL_*, read by Temporal's own library, so that a profile that works for
 * the temporal CLI works here.
 */

import {
  loadClientConfigProfile,
  toClientOptions,
  type ClientConfigProfile,
  type ClientConnectConfig,
} from '@temporalio/envconfig';

import { ConfigError } from './config-error.js';
import type { Environment } from './document.js';

export interface TemporalAccess {
  /** For `Connection.connect` and `NativeConnection.connect`. */
  readonly connectionOptions: ClientConnectConfig['connectionOptions'] & { readonly address: string };
  readonly namespace: string;
}

/**
 * The connection that is configured, or undefined when there is none: neither TEMPORAL_ADDRESS nor an address in the
 * profile. Throws a `ConfigError` for a profile that was asked for and does not exist, or a file that cannot be read.
 */
export function configuredTemporal(
  profile: string | undefined,
  env: Environment,
): TemporalAccess | undefined {
  const found = readProfile(profile, env);
  if (found?.address === undefined || found.address === '') return undefined;
  const { connectionOptions, namespace } = toClientOptions(found);
  return {
    connectionOptions: { ...connectionOptions, address: found.address },
    namespace: namespace ?? 'default',
  };
}

function readProfile(profile: string | undefined, env: Environment): ClientConfigProfile | undefined {
  const overrideEnvVars = Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  // What landfall.yaml names goes before TEMPORAL_PROFILE. The default profile need not exist, any other one has to.
  if (profile !== undefined) delete overrideEnvVars['TEMPORAL_PROFILE'];
  try {
    return loadClientConfigProfile({
      overrideEnvVars,
      ...(profile === undefined || profile === 'default' ? {} : { profile }),
    });
  } catch (error) {
    // The first line only: a TOML error goes on with the lines around it, and these may hold an API key.
    const why = (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
    throw new ConfigError(
      `Temporal's configuration cannot be used: ${why.replace(/[.:]$/, '')}. See temporal.toml (TEMPORAL_CONFIG_FILE ` +
        `names it), TEMPORAL_* and temporal.profile in landfall.yaml.`,
    );
  }
}
