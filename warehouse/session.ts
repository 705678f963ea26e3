/**
 * What a transaction of ours begins with. Roles, databases and servers have settings of their own, and behind a pooler in
 * transaction mode (pgbouncer) a session's settings end with the transaction, or stay for somebody else; startup
 * parameters are refused there. So each transaction sets what it needs, for itself alone.
 */

/**
 * By name, as `show` writes them, so that only what differs is set; a setting that this version of Postgres does not know
 * is left out. `search_path` comes before all of them.
 */
const settings: Readonly<Record<string, string>> = {
  // How values are written and read.
  DateStyle: 'ISO, MDY',
  IntervalStyle: 'postgres',
  TimeZone: 'UTC',
  bytea_output: 'hex',
  client_encoding: 'UTF8',
  extra_float_digits: '1',
  // How statements are understood.
  standard_conforming_strings: 'on',
  array_nulls: 'on',
  transform_null_equals: 'off',
  exit_on_error: 'off',
  // How long is waited. A wait for a lock always ends, and the step is tried again. A worker that stands still in the middle
  // of a transaction loses its session, and with it the locks.
  lock_timeout: '5min',
  transaction_timeout: '0',
  idle_in_transaction_session_timeout: '1min',
  // A client that is gone without a word: its session, and what that holds, ends a minute later.
  tcp_keepalives_idle: '30',
  tcp_keepalives_interval: '10',
  tcp_keepalives_count: '3',
};

/** Set only on Linux: elsewhere Postgres writes into its log each time that it cannot. */
const userTimeout = '60000';

/**
 * Begins a transaction. `statementTimeout` in milliseconds; 0: none. Settings of the role that would cancel or misread
 * the statement that sets the others come first.
 */
export function beginStatement(statementTimeout = 0): string {
  const names = Object.entries(settings).map(([name, value]) => `('${name}', '${value}')`);
  return [
    'begin isolation level read committed',
    `set local statement_timeout = ${Math.trunc(statementTimeout)}`,
    'set local search_path = pg_catalog',
    `select count(set_config(name, value, true))
     from (values ${names.join(', ')}) as wanted (name, value)
     where current_setting(name, true) <> value`,
    // A database that otherwise answers before a commit is on disk is told not to.
    `select set_config('synchronous_commit', 'on', true) where current_setting('synchronous_commit') = 'off'`,
    `select set_config('tcp_user_timeout', '${userTimeout}', true) where version() like '%linux%'`,
  ].join('; ');
}

/**
 * Comes before a step that keeps readers out until the transaction's end, milliseconds later. It waits no longer than
 * `lockTimeout` for its turn (SQLSTATE 55P03), since every new reader queues behind it; and readers do not wait longer than
 * ten seconds for a worker that stands still in there.
 */
export function exclusiveStep(lockTimeout: string): string {
  return `set local lock_timeout = '${lockTimeout}'; set local idle_in_transaction_session_timeout = '10s'`;
}

/** For a transaction that waits for stores and files between its statements. It locks nothing that readers need. */
export const patientTransaction = `set local idle_in_transaction_session_timeout = '10min'`;
