/**
 * Reads a day of sessions in small files, in groups, without Postgres and with COPY into the eight tables beside COPY of
 * ready files: `node --import tsx bench/documents.ts`. The tables have no keys, as a load's own have none. Reading alone is
 * also measured with what Monetate's settings mask.
 */

import { createReadStream, createWriteStream } from 'node:fs';
import { chmod, mkdir, readFile as readText, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';

import pg from 'pg';
import copyStreams from 'pg-copy-streams';

import { rulesOf } from '../config/mask-rules.js';
import { secret } from '../config/secret.js';
import { rowTextOfPostgres, type FileTable } from '../model/row-text.js';
import { documentRows, type DocumentRows } from '../reader/documents/documents.js';
import type { GroupFile } from '../reader/documents/pieces.js';
import { withDuckDb } from '../reader/duckdb.js';
import { masksOf, openMasks, type Masks } from '../reader/masks/masks.js';
import { session, storedTables } from '../vendors/monetate/tables.js';
import { documentLines } from './documents-lines.js';
import { printSeconds } from './median.js';
import { peakMemory, processorSeconds } from './processes.js';
import { timed, withWarehouse } from './warehouse.js';

const { values } = parseArgs({
  options: {
    files: { type: 'string', default: '2000' },
    sessions: { type: 'string', default: '500' },
    group: { type: 'string', default: '100' },
    runs: { type: 'string', default: '3' },
    threads: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
  },
});
const perFile = Number(values.sessions);
const perGroup = Number(values.group);
const constants = { exportDate: '2026-11-20', partitionValue: null, loadId: '1' };
const usual = masksOf({
  mask: rulesOf({ customer_id: 'hash', customer_link: 'hash', custom_targets: 'hash' }),
  maskKey: secret('a key of the bench, as long as a hash'),
});
const tables = await readText(new URL('../vendors/monetate/sql/001-tables.sql', import.meta.url), 'utf8');

await withWarehouse(async (client, folder) => {
  let bytes = 0;
  const files: GroupFile[] = [];
  for (let number = 0; number < Number(values.files); number += 1) {
    const text = [...documentLines(number * perFile, perFile)].join('');
    bytes += text.length;
    const path = join(folder, `file-${number}`);
    await writeFile(path, gzipSync(text, { level: 1 }));
    files.push({ id: String(number + 1), key: `file-${number}`, path });
  }
  const work = join(folder, 'work');
  await mkdir(work);
  const settings = { memoryLimit: '256MB', threads: Number(values.threads), spillDirectory: work };
  const { signal } = new AbortController();
  const read = (use: (rows: DocumentRows) => Promise<unknown>, masks?: Masks): Promise<void> =>
    withDuckDb(settings, signal, async (duck) => {
      await openMasks(duck, masks);
      for (let from = 0; from < files.length; from += perGroup) {
        const group = files.slice(from, from + perGroup);
        const rows = documentRows(duck, session, group, { ...constants, masks }, work, signal);
        await use(rows);
        if (rows.unreadable().length > 0) throw new Error('a file of the bench cannot be read');
      }
    });
  const fresh = async (): Promise<void> => {
    await client.query('drop schema if exists visits cascade; create schema visits');
    await client.query(`set search_path = visits; ${tables}`);
    for (const { name } of storedTables) {
      await client.query(`alter table ${name} drop constraint ${name}_pkey; drop index ${name}_file`);
    }
  };
  const copyIn = async (rows: Readable, { name, columns }: FileTable): Promise<number> => {
    const names = columns.map((column) => pg.escapeIdentifier(column)).join(', ');
    const copy = client.query(copyStreams.from(`copy ${name} (${names}) from stdin (${rowTextOfPostgres})`));
    await pipeline(rows, copy);
    return copy.rowCount;
  };
  const throwAway = async (rows: Readable): Promise<number> => {
    for await (const chunk of rows) if (chunk === null) throw new Error('an end within');
    return 0;
  };

  const seconds = new Map<string, number[]>();
  const note = (what: string, value: number): unknown =>
    seconds.set(what, [...(seconds.get(what) ?? []), value]);
  const { rows: sessionOf } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  const measure = async (what: string, task: () => Promise<unknown>): Promise<void> => {
    if (!what.includes(values.only)) return;
    await fresh();
    const before = { here: process.cpuUsage(), there: await processorSeconds(sessionOf[0]!.pid) };
    note(what, await timed(client, task));
    const { user, system } = process.cpuUsage(before.here);
    note(`${what}: processor, here`, (user + system) / 1e6);
    note(`${what}: processor, Postgres`, (await processorSeconds(sessionOf[0]!.pid)) - before.there);
  };
  const counts = new Map<string, number>();
  for (let run = 0; run < Number(values.runs); run += 1) {
    await measure('reading alone', () => read((rows) => rows.good(throwAway)));
    await measure('reading alone, masked', () => read((rows) => rows.good(throwAway), usual));
    await measure('reading into COPY', () => read((rows) => rows.good(copyIn)));
    if (values.only !== '') continue;
    for (const { name } of storedTables) {
      const text = join(folder, `ready-${name}`);
      const out = client.query(copyStreams.to(`copy ${name} to stdout (${rowTextOfPostgres})`));
      await pipeline(out, createWriteStream(text));
      const { rows } = await client.query<{ count: string }>(`select count(*) from ${name}`);
      counts.set(name, Number(rows[0]?.count));
      await chmod(text, 0o644);
    }
    await measure('COPY of ready files', async () => {
      for (const { name } of storedTables) {
        const copy = client.query(copyStreams.from(`copy ${name} from stdin (${rowTextOfPostgres})`));
        await pipeline(createReadStream(join(folder, `ready-${name}`), { highWaterMark: 256 * 1024 }), copy);
      }
    });
  }
  console.log(`${files.length} files, ${bytes / 1e6} MB;`, Object.fromEntries(counts));
  console.log(`at most ${((await peakMemory(process.pid)) ?? NaN) / 1e6} MB resident in this process`);
  printSeconds(seconds);
});
