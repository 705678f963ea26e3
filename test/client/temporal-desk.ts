import type { Client } from '@temporalio/client';

import { testDatabase, type TestDatabase } from '../support/postgres.js';
import { devServer, type DevServer } from '../support/temporal.js';
import { openDesk, yamlOf, type Desk } from './landfall-command.js';

export interface TemporalDesk {
  readonly database: TestDatabase;
  readonly server: DevServer;
  readonly client: Client;
  readonly desk: Desk;
}

/** A desk with a database of its own and the run's Temporal; its task queue has the name of its one source. */
export async function openTemporalDesk(source: string): Promise<TemporalDesk> {
  const database = await testDatabase();
  const server = await devServer();
  const yaml = yamlOf(
    source,
    `postgres: { url: "\${URL}" }\ntemporal: { taskQueue: ${source}, webUi: "${server.uiUrl}" }`,
  );
  const desk = await openDesk(yaml, { URL: database.url, TEMPORAL_ADDRESS: server.address });
  return { database, server, client: server.environment.client, desk };
}
