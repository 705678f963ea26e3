import { readdir } from 'node:fs/promises';

import type pg from 'pg';

import { maskDigest } from '../../config/mask-digest.js';
import type { SourceConfig } from '../../config/schema.js';
import { deliveriesMaskedBefore } from '../../warehouse/mask-changes.js';
import type { Place } from '../place.js';
import { whereIs, withLedger } from '../with-ledger.js';
import { checkPartitions } from './partitions.js';
import { reportOn, sentence, type Finding, type PartReport } from './finding.js';

/** Partitioned tables are attached without long locks from 14 on. */
const oldestVersion = 14;

/** Connects to the warehouse and looks at what Landfall needs there. Changes nothing. */
export async function checkPostgres(
  place: Place,
  sources: readonly SourceConfig[],
): Promise<readonly Finding[]> {
  const report = reportOn('postgres');
  try {
    await withLedger(place, async (pool) => {
      await pool.query('select 1');
      report.ok('connection', `connected to ${whereIs(place.postgresUrl().reveal())}`);
      await checkServer(pool, report);
      await checkLedger(pool, sources, report);
    });
  } catch (error) {
    report.wrong(
      'connection',
      sentence(error),
      'Mend that, then check again; the rest of Postgres was not looked at.',
    );
  }
  return report.findings;
}

async function checkServer(pool: pg.Pool, report: PartReport): Promise<void> {
  const { rows } = await pool.query<{
    readonly version: number;
    readonly encoding: string;
    readonly may_create: boolean;
    readonly account: string;
    readonly database: string;
  }>(
    `select current_setting('server_version_num')::integer as version,
            current_setting('server_encoding') as encoding,
            has_database_privilege(current_database(), 'create') as may_create,
            current_user as account,
            current_database() as database`,
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
      "Exports are UTF-8: create a database with encoding 'UTF8' and point postgres.url at it.",
    );
  }
  if (server.may_create) report.ok('rights', `${server.account} may create schemas`);
  else {
    report.wrong(
      'rights',
      `${server.account} may not create schemas`,
      `As the owner of the database: grant create on database "${server.database}" to "${server.account}".`,
    );
  }
}

async function checkLedger(
  pool: pg.Pool,
  sources: readonly SourceConfig[],
  report: PartReport,
): Promise<void> {
  const { rows: there } = await pool.query<{ readonly found: boolean }>(
    `select to_regclass('landfall.migration') is not null as found`,
  );
  if (there[0]?.found !== true) {
    report.wrong('ledger', 'it is not there yet', "Run 'landfall setup'.");
    return;
  }
  const { rows } = await pool.query<{ readonly id: string }>(
    `select id from landfall.migration where scope = 'landfall'`,
  );
  const applied = rows.map((row) => row.id);
  const scripts = await readdir(new URL('../../warehouse/migrations/', import.meta.url));
  const pending = scripts.filter((name) => name.endsWith('.sql') && !applied.includes(name)).sort();
  const unknown = applied.filter((name) => !scripts.includes(name));
  if (unknown.length > 0) {
    report.wrong(
      'ledger',
      `it was set up by a newer Landfall (${unknown.join(', ')})`,
      'Update Landfall, or point postgres.url at another database.',
    );
  } else if (pending.length > 0) {
    report.wrong('ledger', `${pending.join(', ')} was not applied yet`, "Run 'landfall setup'.");
    return;
  } else report.ok('ledger', 'its schema is up to date');
  await checkSources(pool, sources, report);
  await checkPartitions(pool, sources, report);
}

async function checkSources(
  pool: pg.Pool,
  sources: readonly SourceConfig[],
  report: PartReport,
): Promise<void> {
  const { rows } = await pool.query<{
    readonly name: string;
    readonly vendor: string;
    readonly schema_name: string;
  }>('select name, vendor, schema_name from landfall.source');
  for (const { name, vendor, schema } of sources) {
    const what = `source ${name}`;
    const known = rows.find((row) => row.name === name);
    const owner = rows.find((row) => row.schema_name === schema && row.name !== name);
    if (owner) {
      report.wrong(
        what,
        `schema ${schema} belongs to source ${owner.name}`,
        `Give source ${name} another schema in the configuration.`,
      );
    } else if (!known) report.wrong(what, 'it has no tables yet', "Run 'landfall setup'.");
    else if (known.vendor !== vendor || known.schema_name !== schema) {
      report.wrong(
        what,
        `it was set up with vendor ${known.vendor} and schema ${known.schema_name}`,
        'Change the configuration back, or give the new feed a name of its own.',
      );
    } else report.ok(what, `schema ${schema} is set up`);
  }
  for (const source of sources) {
    const before = await deliveriesMaskedBefore(pool, source.name, maskDigest(source));
    if (before === 0) continue;
    const are = before === 1 ? '1 delivery was' : `${before} deliveries were`;
    report.ok(
      `masks of ${source.name}`,
      `${are} loaded by other mask rules or another maskKey; 'landfall reprocess' loads them again`,
    );
  }
}
