import { readdir } from 'node:fs/promises';

import type pg from 'pg';

import { maskDigest } from '../../config/mask-digest.js';
import type { SourceConfig } from '../../config/schema.js';
import { maskedOtherwise, maskOf } from '../../warehouse/mask-changes.js';
import type { Place } from '../place.js';
import { whereIs, withLedger } from '../with-ledger.js';
import { postgresAdvice } from './connection.js';
import { checkPartitions } from './partitions.js';
import { reportOn, sentence, type Finding, type PartReport } from './finding.js';
import { checkServer } from './server.js';

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
      const schemas = sources.map(({ schema }) => schema);
      await checkServer(pool, schemas, report);
      await checkLedger(pool, sources, report);
    });
  } catch (error) {
    report.wrong('connection', sentence(error), postgresAdvice(error, urlOf(place)));
  }
  return report.findings;
}

/** Undefined where there is none, which the error says. */
function urlOf(place: Place): string | undefined {
  try {
    return place.postgresUrl().reveal();
  } catch {
    return undefined;
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
  for (const source of sources) await checkMasks(pool, source, report);
}

/** Whether the rules of the configuration are those that workers stage by, and which visible rows are masked by others. */
async function checkMasks(pool: pg.Pool, source: SourceConfig, report: PartReport): Promise<void> {
  const what = `masks of ${source.name}`;
  const digest = maskDigest(source);
  const set = await maskOf(pool, source.name);
  if (set !== undefined && set !== digest) {
    report.wrong(
      what,
      `the mask rules or the maskKey are not those that 'landfall setup' has set last, so workers with them stage nothing`,
      "Run 'landfall setup' with this configuration, and restart workers that have another.",
    );
  }
  const { deliveries, newest } = await maskedOtherwise(pool, source.name, digest);
  if (deliveries === 0) return;
  const are = deliveries === 1 ? '1 delivery was' : `${deliveries} deliveries were`;
  const named = `${newest.join(', ')}${deliveries > newest.length ? ', …' : ''}`;
  report.ok(
    what,
    `${are} loaded by other mask rules or another maskKey (${named}); 'landfall reprocess' loads them again`,
  );
}
