/** What Landfall needs of the server, the database and the role, before it makes anything there. */

import type pg from 'pg';

import type { PartReport } from './finding.js';

/** Partitioned tables are attached without long locks from 14 on. */
const oldestVersion = 14;

interface Server {
  readonly version: number;
  readonly encoding: string;
  readonly standby: boolean;
  readonly read_only: boolean;
  readonly may_create: boolean;
  readonly may_use_temp: boolean;
  readonly account: string;
  readonly database: string;
  /** Schemas of ours that belong to somebody else, as `landfall (of postgres)`. */
  readonly foreign_schemas: readonly string[];
}

/** Asks for nothing that needs the ledger, and changes nothing. `schemas` are those of the sources. */
export async function checkServer(
  pool: pg.Pool,
  schemas: readonly string[],
  report: PartReport,
): Promise<void> {
  const { rows } = await pool.query<Server>(
    `select current_setting('server_version_num')::integer as version,
            current_setting('server_encoding') as encoding,
            pg_is_in_recovery() as standby,
            current_setting('transaction_read_only') = 'on' as read_only,
            has_database_privilege(current_database(), 'create') as may_create,
            has_database_privilege(current_database(), 'temporary') as may_use_temp,
            current_user::text as account,
            current_database()::text as database,
            array(
              select nspname || ' (of ' || pg_get_userbyid(nspowner) || ')' from pg_namespace
              where nspname = any($1::text[]) and not pg_has_role(nspowner, 'usage') order by nspname
            ) as foreign_schemas`,
    [['landfall', 'landfall_staging', ...schemas]],
  );
  const server = rows[0];
  if (!server) throw new Error('Postgres said nothing about itself');
  const version = Math.floor(server.version / 10_000);
  if (version >= oldestVersion) report.ok('version', `PostgreSQL ${version}`);
  else {
    report.wrong(
      'version',
      `PostgreSQL ${version}`,
      `Landfall needs ${oldestVersion} or later: update the server.`,
    );
  }
  if (server.encoding === 'UTF8') report.ok('encoding', 'UTF8');
  else {
    report.wrong(
      'encoding',
      `the database's encoding is ${server.encoding}`,
      `Exports are UTF-8: create database … encoding 'UTF8' template template0; and point postgres.url at it.`,
    );
  }
  checkWritable(server, report);
  checkRights(server, report);
}

function checkWritable({ standby, read_only, account, database }: Server, report: PartReport): void {
  if (standby) {
    report.wrong(
      'writing',
      'the server is a standby, which takes no changes',
      'Point postgres.url at the primary server.',
    );
  } else if (read_only) {
    report.wrong(
      'writing',
      `database ${database} is read-only for ${account} (default_transaction_read_only is on)`,
      `Some hosts set that while a disk is full: see to that first. Else, whichever set it: alter role "${account}" reset ` +
        `default_transaction_read_only; or alter database "${database}" reset default_transaction_read_only.`,
    );
  } else report.ok('writing', `database ${database} takes changes`);
}

function checkRights(server: Server, report: PartReport): void {
  const { account, database, foreign_schemas } = server;
  const missing = [
    ...(server.may_create ? [] : [{ may: 'create schemas', right: 'create' }]),
    ...(server.may_use_temp ? [] : [{ may: 'make temporary tables', right: 'temporary' }]),
  ];
  if (missing.length > 0) {
    report.wrong(
      'rights',
      `${account} may not ${missing.map(({ may }) => may).join(', nor ')}`,
      `As the owner of the database: grant ${missing.map(({ right }) => right).join(', ')} on database "${database}" to ` +
        `"${account}".`,
    );
  } else if (foreign_schemas.length > 0) {
    report.wrong(
      'rights',
      `${account} does not own ${foreign_schemas.join(', ')}`,
      `Use the role in postgres.url that owns them, or make "${account}" a member of it.`,
    );
  } else report.ok('rights', `${account} may create schemas`);
}
