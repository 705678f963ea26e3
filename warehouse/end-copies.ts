import type pg from 'pg';

import { stagingPrefix } from './names.js';

/**
 * Ends sessions of ours that still copy into a load's staging tables, once nothing more is to be staged: what they copy
 * would be rolled back. A worker that stands still in the middle of a copy would hold its tables for ever, since Postgres
 * waits for the rest of the rows without a limit.
 */
export async function endCopies(client: pg.ClientBase, loadId: string): Promise<void> {
  await client.query(
    `select pg_terminate_backend(a.pid)
     from pg_class c
     join pg_locks l on l.relation = c.oid and l.granted
       and l.database = (select oid from pg_database where datname = current_database())
     join pg_stat_activity a on a.pid = l.pid
     where c.relnamespace = 'landfall_staging'::regnamespace and starts_with(c.relname, $1)
       and a.pid <> pg_backend_pid() and a.usename = session_user
       and a.application_name = current_setting('application_name')`,
    [stagingPrefix(loadId)],
  );
}
