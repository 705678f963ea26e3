/**
 * Our load beside Postgres' own COPY of the same rows, in one run, turn by turn.
 *
 *   npm run bench [-- --rows 500000 --parts 8 --runs 3 --big 2000000]
 *   npm run bench -- --quick        50,000 rows, one run: whether it works, not how fast
 */

import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { writeTable } from '../client/table.js';
import { writeDay, type WrittenDay } from '../sandbox/optimizely-day.js';
import { prepareCeiling } from './ceiling.js';
import { loadOnce } from './load.js';
import { median, spread } from './median.js';
import { bringUp, type Place } from './place.js';
import { peakMemory } from './processes.js';

const type = 'events';
const megabyte = 1_000_000;

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '500000' },
    parts: { type: 'string', default: '8' },
    runs: { type: 'string', default: '3' },
    /** Rows of the day that memory is measured with; 0 leaves it out. */
    big: { type: 'string', default: '2000000' },
    quick: { type: 'boolean', default: false },
  },
});
const amounts = values.quick ? { ...values, rows: '50000', runs: '1', big: '100000' } : values;
const [rows, parts, runs, big] = [amounts.rows, amounts.parts, amounts.runs, amounts.big].map(Number) as [
  number,
  number,
  number,
  number,
];
/** Rows of a row group, four times the usual. Each column is one page then, up to 20 MB of it, where Spark's have 1 MB. */
const largeRowGroup = 500_000;

interface Line {
  readonly what: string;
  readonly rows: number;
  readonly seconds: readonly number[];
  readonly text?: number;
  readonly parquet?: number;
  readonly memory?: number | undefined;
  readonly ratio?: number;
}

async function makeDay(
  place: Place,
  date: string,
  rows: number,
  parts: number,
  rowGroup?: number,
): Promise<WrittenDay> {
  const directory = join(place.folder, 'export');
  await mkdir(directory);
  const shape = { directory, type, date, rows, parts, folders: false, hidden: false } as const;
  const day = await writeDay(rowGroup === undefined ? shape : { ...shape, rowGroup });
  await place.upload(directory);
  await rm(directory, { recursive: true });
  return day;
}

async function compare(
  place: Place,
  date: string,
  rows: number,
  parts: number,
  runs: number,
): Promise<Line[]> {
  const day = await makeDay(place, date, rows, parts);
  const worker = place.startWorker();
  // The first load warms both sides up, and gives the ceiling its rows.
  await loadOnce(place, type, date);
  const partition = `optimizely.conversion_${date.replaceAll('-', '_')}`;
  const ceiling = await prepareCeiling(
    place.pool,
    partition,
    'export_date, uuid',
    join(place.folder, 'rows.txt'),
  );
  const times: { ours: number[]; ceiling: number[] } = { ours: [], ceiling: [] };
  for (let run = 0; run < runs; run += 1) {
    times.ceiling.push(await ceiling.run());
    times.ours.push(await loadOnce(place, type, date));
  }
  const memory = await peakMemory(worker.pid);
  await worker.stop();
  return [
    { what: 'COPY of a ready text file, then its key', rows, seconds: times.ceiling, text: ceiling.bytes },
    {
      what: whatOf(parts),
      rows,
      seconds: times.ours,
      text: ceiling.bytes,
      parquet: day.bytes,
      memory,
      ratio: median(times.ours) / median(times.ceiling),
    },
  ];
}

/** A larger day on a fresh worker, for its memory. */
async function measureMemory(
  place: Place,
  date: string,
  rows: number,
  parts: number,
  rowGroup?: number,
): Promise<Line> {
  const day = await makeDay(place, date, rows, parts, rowGroup);
  const worker = place.startWorker();
  const seconds = await loadOnce(place, type, date);
  const memory = await peakMemory(worker.pid);
  await worker.stop();
  return {
    what: whatOf(parts) + (rowGroup === undefined ? '' : ', large row groups'),
    rows,
    seconds: [seconds],
    parquet: day.bytes,
    memory,
  };
}

function whatOf(parts: number): string {
  return `from S3 to published, ${parts} ${parts === 1 ? 'part' : 'parts'}`;
}

function print(lines: readonly Line[]): void {
  const perSecond = (amount: number | undefined, { seconds }: Line): string | undefined =>
    amount === undefined ? undefined : (amount / megabyte / median(seconds)).toFixed(1);
  const table = writeTable(lines, [
    { title: 'WHAT', cell: (line) => line.what },
    { title: 'ROWS', cell: (line) => line.rows },
    { title: 'SECONDS', cell: ({ seconds }) => median(seconds).toFixed(2) },
    {
      title: 'MIN–MAX',
      cell: ({ seconds }) => spread(seconds),
    },
    { title: 'ROWS/S', cell: (line) => Math.round(line.rows / median(line.seconds)) },
    { title: 'TEXT MB/S', cell: (line) => perSecond(line.text, line) },
    { title: 'PARQUET MB/S', cell: (line) => perSecond(line.parquet, line) },
    {
      title: 'PEAK MEMORY',
      cell: ({ memory }) => (memory === undefined ? undefined : `${Math.round(memory / megabyte)} MB`),
    },
    { title: 'RATIO', cell: ({ ratio }) => ratio?.toFixed(2) },
  ]);
  console.log(`\n${table}`);
}

// The pinned AWS SDK supports every Node that we do.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';

const place = await bringUp((line) => console.error(line));
try {
  const lines = [
    ...(await compare(place, '2026-03-01', rows, parts, runs)),
    ...(await compare(place, '2026-03-02', rows, 1, runs)),
    ...(big > 0 ? [await measureMemory(place, '2026-03-03', big, parts)] : []),
    ...(big > 0 ? [await measureMemory(place, '2026-03-04', big, 1, largeRowGroup)] : []),
  ];
  print(lines);
} finally {
  await place.end();
}
