/** Days of the sandbox's Monetate on a test's own server, and what has to be in the tables of them. */

import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { WorkflowHandle } from '@temporalio/client';

import type { DeliveryInput, DeliveryResult } from '../../model/control.js';
import { addDays, dayOf } from '../../model/day.js';
import { fileLines, gzipLines, type MonetateFile } from '../../sandbox/monetate/files.js';
import { badLines } from '../../sandbox/monetate/flaws.js';
import { session, storedTables } from '../../vendors/monetate/tables.js';
import { unfold, type Row } from '../vendors/monetate/unfold.js';
import { resultOf } from '../workflows/observe.js';
import { assertConsistent } from './landed.js';
import { faultySftp, type FaultySftp, type StepMatcher } from './faulty-sftp.js';
import {
  monetateSource,
  type MonetateSource,
  type MonetateSourceOptions,
  type SftpPlace,
} from './monetate.js';

export type Delivery = WorkflowHandle<(input: DeliveryInput) => Promise<DeliveryResult>>;

const schema = 'experiments';
const personal = ['customer_id', 'customer_link', 'custom_targets'] as const;

/** Nothing is masked, so that rows may be compared with what the files hold; a day settles within a second. */
export function visitsSource(
  settings: Record<string, unknown> = {},
  options: MonetateSourceOptions = {},
): Promise<MonetateSource> {
  const mask = Object.fromEntries(personal.map((column) => [column, 'keep']));
  return monetateSource(
    { schema, settleFor: '1 second', heartbeatTimeout: '5 seconds', mask, ...settings },
    options,
  );
}

/** What became of a delivery, on a machine that may be busy. */
export async function ended(delivery: Delivery): Promise<DeliveryResult> {
  return resultOf<(input: DeliveryInput) => Promise<DeliveryResult>>(delivery, 90_000);
}

/** Ends a test's source, at which what must hold at rest has to hold. */
export async function dropConsistent(source: MonetateSource): Promise<void> {
  try {
    await assertConsistent(source.database.pool);
  } finally {
    await source.drop();
  }
}

/** A day so many before today: Monetate keeps its files for 820. */
export function daysAgo(days: number): string {
  return addDays(dayOf(Date.now()), -days);
}

export interface FaultyPlace extends SftpPlace {
  readonly server: FaultySftp;
  readonly close: () => Promise<void>;
}

/** A server of a test's own, which fails as it is told. */
export async function faultyPlace(): Promise<FaultyPlace> {
  const home = await mkdtemp(join(tmpdir(), 'landfall-test-visits-'));
  await chmod(home, 0o755);
  const account = { username: 'landfall', password: 'correct horse battery' };
  const server = await faultySftp({ directory: home, users: [account] });
  const { host, port, hostKey } = server;
  return {
    ...{ ...account, host, port, hostKey, home, server },
    close: async () => {
      await server.stop();
      await rm(home, { recursive: true, force: true });
    },
  };
}

/** A request of one kind for a file of a source, or for a folder. */
export function asked(
  source: MonetateSource,
  kind: 'open' | 'opendir' | 'read' | 'readdir',
  key: string,
): StepMatcher {
  // The server shows its users their own folder as the whole of it.
  const path = source.pathOf(key).replace(/\/$/, '');
  return (step) => step.kind === kind && path.endsWith(step.path) && step.path !== '/';
}

/** Whole, and as old as the vendor's unless said otherwise. */
export async function putFiles(
  source: MonetateSource,
  files: readonly MonetateFile[],
  modified?: number,
): Promise<void> {
  for (const file of files) {
    await source.put(file.key, await gzipLines(fileLines(file)), modified ?? file.at);
  }
}

/**
 * The eight tables hold what the files do, column by column, and say where from. Of a session that several files have,
 * that of the latest interval counts, or else of the longer or later name.
 */
export async function assertRows(source: MonetateSource, files: readonly MonetateFile[]): Promise<void> {
  const expected = expectedRows(files);
  for (const { name } of storedTables) {
    const rows = await rowsIn(source, name);
    const wanted = expected.get(name) ?? [];
    assert.equal(rows.length, wanted.length, `rows of ${name}`);
    assert.deepEqual(rows, wanted, name);
  }
}

function expectedRows(files: readonly MonetateFile[]): ReadonlyMap<string, readonly Row[]> {
  const rows = new Map<string, Row[]>(storedTables.map(({ name }) => [name, []]));
  const byKey = files.toSorted((one, other) => (one.key < other.key ? -1 : 1));
  const interval = ({ key }: MonetateFile): string => /[^/]+Z_/.exec(key)?.[0] ?? '';
  const newestLast = byKey
    .toSorted((one, other) => one.key.length - other.key.length)
    .toSorted((one, other) =>
      interval(one) < interval(other) ? -1 : Number(interval(one) > interval(other)),
    );
  const newest = new Map<unknown, string>();
  for (const file of newestLast) {
    for (const [index, text] of fileLines(file).entries()) {
      if (badLines.includes(text)) continue;
      newest.set((JSON.parse(text) as Record<string, unknown>)['session_id'], `${index} ${file.key}`);
    }
  }
  for (const file of byKey) {
    for (const [index, text] of fileLines(file).entries()) {
      if (badLines.includes(text)) continue;
      const line = JSON.parse(text) as Record<string, unknown>;
      if (newest.get(line['session_id']) !== `${index} ${file.key}`) continue;
      for (const [table, found] of unfold(session, line)) {
        const place = { _key: file.key, _line: index + 1 };
        const own = table === session.name ? { export_date: file.date } : {};
        const extra = table === session.name ? unknownIn(line) : null;
        rows
          .get(table)
          ?.push(...found.map((row) => ({ ...place, _extra: extra, ...asGiven(table, { ...own, ...row }) })));
      }
    }
  }
  return rows;
}

const declared = new Set(session.columns.flatMap((column) => ('field' in column ? [column.field] : [])));

function unknownIn(line: Readonly<Record<string, unknown>>): Row | null {
  const unknown = Object.entries(line).filter(([name]) => !declared.has(name));
  return unknown.length === 0 ? null : Object.fromEntries(unknown);
}

function columnsOf(table: string): readonly { readonly name: string; readonly type: string }[] {
  return storedTables.find(({ name }) => name === table)?.columns ?? [];
}

/** As the columns' texts below give it. */
function asGiven(table: string, row: Row): Row {
  return Object.fromEntries(
    columnsOf(table).map(({ name, type }) => {
      const value = row[name] ?? null;
      if (value === null || type === 'text' || type === 'jsonb') return [name, value];
      if (type === 'bigint' || type === 'numeric') return [name, JSON.stringify(value)];
      if (type === 'boolean') return [name, value === 't' || value === true];
      return [name, value];
    }),
  );
}

async function rowsIn(source: MonetateSource, table: string): Promise<Record<string, unknown>[]> {
  const columns = columnsOf(table).map(({ name, type }) => {
    const column = `t."${name}"`;
    if (type === 'timestamptz') {
      return `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "${name}"`;
    }
    return ['bigint', 'numeric', 'date'].includes(type) ? `${column}::text as "${name}"` : column;
  });
  const nested = table === session.name ? '' : ', t.ordinal';
  return source.rows(
    `select f.key as _key, t._line::int as _line, t._extra, ${columns.join(', ')}
     from ${schema}."${table}" t join landfall.file f on f.id = t._file_id
     order by f.key collate "C", t._line${nested}`,
  );
}
