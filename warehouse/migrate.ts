import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';

import type pg from 'pg';

import { Failure, failureTypes } from '../model/failure.js';
import { exclusiveStep } from './session.js';
import { transaction } from './transaction.js';

/** What the ledger's own scripts are kept under. */
const ledgerScope = 'landfall';

/** What a source's scripts are kept under: its name, which no slash is in. */
export function scopeOf(source: string): string {
  return source === ledgerScope ? `source/${source}` : source;
}

/** Brings the ledger's own schema up to date. Concurrent callers wait for each other; repeating it changes nothing. */
export async function migrate(pool: pg.Pool): Promise<void> {
  await transaction(pool, async (client) => {
    await client.query(`select pg_advisory_xact_lock(hashtextextended('landfall.migrate', 0))`);
    await client.query(exclusiveStep('10s'));
    await client.query(`
      create schema if not exists landfall;
      create table if not exists landfall.migration (
        scope      text not null,
        id         text not null,
        checksum   text not null,
        applied_at timestamptz not null default now(),
        primary key (scope, id)
      );`);
    await applyScripts(client, ledgerScope, new URL('migrations/', import.meta.url));
  });
}

/**
 * Applies the scripts of a folder that a scope has not seen yet, in the order of their names: numbered ones once,
 * the others (views and functions, written to be repeated) whenever their text has changed.
 * Throws `ConfigInvalid` when the database has numbered scripts that this version does not know.
 */
export async function applyScripts(client: pg.ClientBase, scope: string, folder: URL): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort();
  const { rows } = await client.query<{ id: string; checksum: string }>(
    'select id, checksum from landfall.migration where scope = $1',
    [scope],
  );
  const applied = new Map(rows.map((row) => [row.id, row.checksum]));
  const unknown = [...applied.keys()].filter((id) => isNumbered(id) && !names.includes(id));
  if (unknown.length > 0) {
    throw new Failure(
      failureTypes.configInvalid,
      `The database was set up by a newer Landfall: '${scope}' holds ${unknown.join(', ')}, which this version ` +
        `does not know. Update Landfall, or point it at another database.`,
    );
  }
  for (const name of names) {
    const text = await readFile(new URL(name, folder), 'utf8');
    const checksum = createHash('sha256').update(text).digest('hex');
    const before = applied.get(name);
    if (before === checksum || (before !== undefined && isNumbered(name))) continue;
    await client.query(text);
    await client.query(
      `insert into landfall.migration (scope, id, checksum) values ($1, $2, $3)
       on conflict (scope, id) do update set checksum = excluded.checksum, applied_at = now()`,
      [scope, name, checksum],
    );
  }
}

function isNumbered(name: string): boolean {
  return /^\d{3}-/.test(name);
}
