/**
 * Sessions of Leanplum's, lines that hold rows of seven tables, from a file into Postgres, and what COPY alone takes of
 * that. The measurement of reader/nested/nested-lines.ts.
 *
 *   node --import tsx bench/nested.ts [--sessions 200000] [--runs 3] [--threads 1]
 */

import { createReadStream, createWriteStream } from 'node:fs';
import { chmod, readFile as readText, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';

import pg from 'pg';
import copyStreams from 'pg-copy-streams';

import { rowTextOfPostgres, type FileRows, type FileTable } from '../model/row-text.js';
import { makePipe } from '../reader/copy-out.js';
import { withDuckDb } from '../reader/duckdb.js';
import { readFile } from '../reader/read-file.js';
import { session } from '../vendors/leanplum/tables.js';
import { printSeconds } from './median.js';
import { peakMemory, processorSeconds } from './processes.js';
import { sessionLines } from './sessions.js';
import { timed, withWarehouse } from './warehouse.js';

const { values } = parseArgs({
  options: {
    sessions: { type: 'string', default: '200000' },
    runs: { type: 'string', default: '3' },
    threads: { type: 'string', default: '1' },
  },
});
const tables = await readText(new URL('../vendors/leanplum/sql/001-tables.sql', import.meta.url), 'utf8');
const constants = { exportDate: '2026-03-01', partitionValue: null, loadId: '1', fileId: '1' };

await withWarehouse(async (client, folder) => {
  const path = join(folder, 'shard');
  await pipeline(Readable.from(sessionLines(Number(values.sessions))), createWriteStream(path));
  await makePipe(join(folder, 'pipe'));
  const settings = { memoryLimit: '256MB', threads: Number(values.threads), spillDirectory: folder };
  const signal = new AbortController().signal;
  const read = <T>(work: (rows: FileRows) => Promise<T>): Promise<T> =>
    withDuckDb(settings, signal, async (duck) => {
      const shape = { format: 'nested json lines', table: session } as const;
      const place = { pipe: join(folder, 'pipe'), folder };
      return work(await readFile(duck, shape, { path, key: 'shard' }, constants, place, signal));
    });
  const fresh = async (): Promise<void> => {
    await client.query('drop schema if exists sessions cascade; create schema sessions');
    await client.query('set search_path = sessions');
    await client.query(tables);
    // Keys come when all rows are there, as they do to a staged load.
    const { rows } = await client.query<{ statement: string }>(
      `select format('alter table %s drop constraint %I', conrelid::regclass, conname) as statement
       from pg_constraint where connamespace = 'sessions'::regnamespace and contype = 'p'`,
    );
    for (const { statement } of rows) await client.query(statement);
  };
  const copyIn = async (rows: Readable, { name, columns }: FileTable): Promise<number> => {
    const names = columns.map((column) => pg.escapeIdentifier(column)).join(', ');
    const copy = client.query(copyStreams.from(`copy ${name} (${names}) from stdin (${rowTextOfPostgres})`));
    await pipeline(rows, copy);
    return copy.rowCount;
  };
  const counts = new Map<string, number>();
  const throwAway = async (rows: Readable): Promise<number> => {
    for await (const chunk of rows) if (chunk === null) throw new Error('an end within');
    return 0;
  };

  const seconds = new Map<string, number[]>();
  const note = (what: string, value: number): unknown =>
    seconds.set(what, [...(seconds.get(what) ?? []), value]);
  const { rows: sessionOf } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  const measure = async (what: string, work: () => Promise<unknown>): Promise<void> => {
    await fresh();
    const before = { here: process.cpuUsage(), there: await processorSeconds(sessionOf[0]!.pid) };
    note(what, await timed(client, work));
    const { user, system } = process.cpuUsage(before.here);
    note(`${what}: processor, here`, (user + system) / 1e6);
    note(`${what}: processor, Postgres`, (await processorSeconds(sessionOf[0]!.pid)) - before.there);
  };
  for (let run = 0; run < Number(values.runs); run += 1) {
    await measure('reading alone', () => read((rows) => rows.good(throwAway)));
    await measure('reading into COPY', () => read((rows) => rows.good(copyIn)));
    const { rows: filled } = await client.query<{ name: string }>(
      `select relname as name from pg_class where relnamespace = 'sessions'::regnamespace and relkind = 'r'`,
    );
    for (const { name } of filled) {
      const text = join(folder, `ready-${name}`);
      const out = client.query(copyStreams.to(`copy ${name} to stdout (${rowTextOfPostgres})`));
      await pipeline(out, createWriteStream(text));
      const { rows } = await client.query<{ count: string }>(`select count(*) from ${name}`);
      counts.set(name, Number(rows[0]?.count));
      await chmod(text, 0o644);
    }
    await measure('COPY of ready files, through this process', async () => {
      for (const { name } of filled) {
        const copy = client.query(copyStreams.from(`copy ${name} from stdin (${rowTextOfPostgres})`));
        await pipeline(createReadStream(join(folder, `ready-${name}`), { highWaterMark: 256 * 1024 }), copy);
      }
    });
    await measure('COPY of ready files, by the server', async () => {
      for (const { name } of filled) {
        const file = pg.escapeLiteral(join(folder, `ready-${name}`));
        await client.query(`copy ${name} from ${file} (${rowTextOfPostgres})`);
      }
    });
  }
  console.log(`${(await stat(path)).size / 1e6} MB;`, Object.fromEntries(counts));
  console.log(`at most ${((await peakMemory(process.pid)) ?? NaN) / 1e6} MB resident in this process`);
  printSeconds(seconds);
});
