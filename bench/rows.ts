/**
 * Ways for the rows of a day from DuckDB into Postgres, and what each takes of the one that bounds it. The measurement of
 * docs/decisions/0003-rows-through-a-pipe.md.
 *
 *   node --import tsx bench/rows.ts [--rows 500000] [--runs 3]
 */

import { createWriteStream } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';

import pg from 'pg';
import copyStreams from 'pg-copy-streams';

import { rowTextOfDuckDb, rowTextOfPostgres } from '../model/row-text.js';
import { copyOut, makePipe } from '../reader/copy-out.js';
import { literal, withDuckDb } from '../reader/duckdb.js';
import { openParquet } from '../reader/parquet.js';
import { project } from '../reader/projection.js';
import { writeDay } from '../sandbox/optimizely/day.js';
import { optimizelyTables } from '../vendors/optimizely/tables.js';
import { printSeconds } from './median.js';
import { schema, timed, withWarehouse } from './warehouse.js';

const { values } = parseArgs({
  options: { rows: { type: 'string', default: '500000' }, runs: { type: 'string', default: '3' } },
});
const date = '2026-03-01';
const formats = [
  ['COPY of a ready file: text', 'format text'],
  ['COPY of a ready file: CSV with commas and quotes', 'format csv'],
  ['COPY of a ready file: CSV with control characters', rowTextOfPostgres],
] as const;

await withWarehouse(async (client, folder) => {
  const day = await writeDay({
    directory: folder,
    type: 'events',
    date,
    rows: Number(values.rows),
    folders: false,
  });
  const part = join(folder, day.parts[0]?.key ?? '');
  const pipe = join(folder, 'rows');
  await makePipe(pipe);
  const settings = { memoryLimit: '256MB', threads: 1, spillDirectory: folder };
  await withDuckDb(settings, new AbortController().signal, async (duck) => {
    const { columns: inFile, source, line } = await openParquet(duck, part, part);
    const constants = { exportDate: date, partitionValue: null, loadId: '1', fileId: '1' };
    const { good, columns } = project(optimizelyTables.events, inFile, source, line, constants);
    const names = columns.map((name) => pg.escapeIdentifier(name)).join(', ');
    const fresh = async (): Promise<void> => {
      await client.query('drop table if exists bench_rows');
      await client.query(`create table bench_rows (like ${schema}.conversion including defaults)`);
    };
    const throughPipe = (): Promise<unknown> =>
      copyOut(duck, good, pipe, (rows) =>
        pipeline(
          rows,
          client.query(copyStreams.from(`copy bench_rows (${names}) from stdin (${rowTextOfPostgres})`)),
        ),
      );
    await fresh();
    await throughPipe();
    for (const [index, [, format]] of formats.entries()) {
      const file = join(folder, `rows-${index}`);
      await pipeline(
        client.query(copyStreams.to(`copy bench_rows to stdout (${format})`)),
        createWriteStream(file),
      );
      await chmod(file, 0o644);
    }

    const seconds = new Map<string, number[]>();
    const measure = async (what: string, work: () => Promise<unknown>): Promise<void> => {
      await fresh();
      seconds.set(what, [...(seconds.get(what) ?? []), await timed(client, work)]);
    };
    for (let run = 0; run < Number(values.runs); run += 1) {
      await measure('DuckDB alone: JavaScript values', async () => {
        const result = await duck.stream(good);
        for await (const rows of result.yieldRows()) if (rows.length === 0) throw new Error('an empty chunk');
      });
      for (const [what, format] of [
        ['DuckDB alone: CSV with commas and quotes', 'format csv, header false'],
        ['DuckDB alone: CSV with control characters', rowTextOfDuckDb],
      ] as const) {
        await measure(what, () => duck.run(`copy (${good}) to '/dev/null' (${format}, use_tmp_file false)`));
      }
      for (const [index, [what, format]] of formats.entries()) {
        const file = literal(join(folder, `rows-${index}`));
        await measure(what, () => client.query(`copy bench_rows from ${file} (${format})`));
      }
      await measure('DuckDB into a pipe into COPY', throughPipe);
    }
    printSeconds(seconds);
  });
});
