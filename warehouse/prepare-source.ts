import pg from 'pg';

import { Failure, failureTypes } from '../model/failure.js';
import { vendors } from '../vendors/registry.js';
import type { Vendor } from '../vendors/vendor.js';
import { applyScripts, scopeOf } from './migrate.js';
import { exclusiveStep } from './session.js';
import { prepareSuperseded } from './superseded-tables.js';
import { transaction } from './transaction.js';

export interface PreparedSource {
  readonly name: string;
  readonly vendor: string;
  /** Postgres schema, owned by this source alone. */
  readonly schema: string;
}

/**
 * Registers a source and creates its schema with the vendor's tables, views and functions. Idempotent.
 * Throws `ConfigInvalid` when the schema belongs to another source, or the source to another vendor or schema.
 */
export async function prepareSource(pool: pg.Pool, source: PreparedSource, scripts: URL): Promise<void> {
  await transaction(pool, async (client) => {
    await client.query(`select pg_advisory_xact_lock(hashtextextended('landfall.migrate', 0))`);
    await client.query(exclusiveStep('10s'));
    const { rows } = await client.query<{ name: string; vendor: string; schema_name: string }>(
      'select name, vendor, schema_name from landfall.source where name = $1 or schema_name = $2',
      [source.name, source.schema],
    );
    for (const known of rows) {
      if (known.name !== source.name) {
        throw new Failure(
          failureTypes.configInvalid,
          `Schema '${source.schema}' belongs to source '${known.name}'. Give source '${source.name}' another schema.`,
        );
      }
      if (known.vendor !== source.vendor || known.schema_name !== source.schema) {
        throw new Failure(
          failureTypes.configInvalid,
          `Source '${source.name}' was set up with vendor '${known.vendor}' and schema '${known.schema_name}'; the ` +
            `configuration now says '${source.vendor}' and '${source.schema}'. Give the new feed a name of its own.`,
        );
      }
    }
    if (rows.length === 0) {
      await client.query(`insert into landfall.source (name, vendor, schema_name) values ($1, $2, $3)`, [
        source.name,
        source.vendor,
        source.schema,
      ]);
    }
    const schema = pg.escapeIdentifier(source.schema);
    await client.query(`create schema if not exists ${schema}`);
    await client.query(`set local search_path = ${schema}`);
    await applyScripts(client, scopeOf(source.name), scripts);
    const vendor: Vendor | undefined = Object.values<Vendor>(vendors).find(
      ({ name }) => name === source.vendor,
    );
    const landings = vendor?.types.map((type) => vendor.landing(type)) ?? [];
    for (const landing of landings) await prepareSuperseded(client, source.schema, landing);
  });
}
