/** Whether the servers that `landfall dev` brought work: not just that they listen, but that they read what they keep. */

import pg from 'pg';

import type { TemporalAccess } from '../../config/temporal.js';

/** Undefined: it works; else what is wrong, as a phrase. */
export async function examinePostgres(url: string): Promise<string | undefined> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'landfall dev',
    connectionTimeoutMillis: 4_000,
    query_timeout: 4_000,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('select 1');
    return undefined;
  } catch (error) {
    // It answers: it is recovering, or has no connection to spare.
    if (error instanceof pg.DatabaseError) return undefined;
    return `does not answer (${(error as Error).message})`;
  } finally {
    void client.end().catch(() => undefined);
  }
}

/** A status of gRPC. */
const notFound = 5;

export async function examineTemporal({
  connectionOptions: { address },
  namespace,
}: TemporalAccess): Promise<string | undefined> {
  const { Connection } = await import('@temporalio/client');
  const connection = Connection.lazy({ address });
  try {
    await connection.withDeadline(Date.now() + 4_000, async () => {
      await connection.workflowService.describeNamespace({ namespace });
      await connection.workflowService
        .describeWorkflowExecution({ namespace, execution: { workflowId: 'landfall-dev-asks-how-it-is' } })
        .catch((error: { readonly code?: number }) => {
          // That workflow does not exist, and to know that the server had to read its database.
          if (error.code !== notFound) throw error;
        });
    });
    return undefined;
  } catch (error) {
    const { details, message } = error as { readonly details?: string; readonly message: string };
    return `does not work (${details ?? message})`;
  } finally {
    await connection.close();
  }
}
