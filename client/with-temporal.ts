import type { Client, Connection } from '@temporalio/client';

import type { TemporalAccess } from '../config/temporal.js';
import type { Place } from './place.js';

export interface TemporalSession {
  readonly client: Client;
  readonly connection: Connection;
  readonly namespace: string;
}

/** Lends a connection to Temporal, and says in a sentence what is wrong when there is none to be had. */
export async function withTemporal<T>(
  place: Place,
  work: (session: TemporalSession) => Promise<T>,
): Promise<T> {
  const access = await place.temporal();
  const { Client, Connection } = await import('@temporalio/client');
  const connection = await connect(Connection, access);
  try {
    const client = new Client({ connection, namespace: access.namespace });
    return await work({ client, connection, namespace: access.namespace });
  } finally {
    await connection.close();
  }
}

async function connect(factory: typeof Connection, access: TemporalAccess): Promise<Connection> {
  const { address, apiKey, tls, metadata } = access.connectionOptions;
  try {
    return await factory.connect({
      address,
      connectTimeout: '5 seconds',
      ...(apiKey === undefined ? {} : { apiKey }),
      ...(tls === undefined ? {} : { tls }),
      ...(metadata === undefined ? {} : { metadata }),
    });
  } catch (error) {
    throw new Error(
      `Temporal at ${address} cannot be reached (${error instanceof Error ? error.message : String(error)}). Check ` +
        `that it runs, and TEMPORAL_ADDRESS or the profile in temporal.toml.`,
      { cause: error },
    );
  }
}
