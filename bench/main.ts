/**
 * Our load beside Postgres' own COPY of the same rows, in one run, turn by turn.
 *
 *   npm run bench [-- --rows 500000 --parts 8 --sessions 200000 --runs 3 --big 2000000]
 *   npm run bench -- --quick        50,000 rows, one run: whether it works, not how fast
 *   npm run bench -- --only megaphone --beside dlt
 *   npm run bench -- --only monetate --files 200 --per-file 500
 *   npm run bench -- --only dynatrace --received 50000 --seconds 30
 */

import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { writeTable } from '../client/table.js';
import { nameDay } from '../config/name-delivery.js';
import { metricsKey } from '../sandbox/megaphone/day.js';
import { prepareCeiling } from './ceiling.js';
import { installDlt } from './dlt.js';
import { measureInbox, measureRequests, printRequests, type InboxTimes } from './dynatrace.js';
import { megaphoneMetrics, optimizelyEvents, type DayShape, type Feed } from './feeds.js';
import { measureJob } from './job.js';
import { loadOnce } from './load.js';
import { median, spread } from './median.js';
import { bringUp, type Place } from './place.js';
import { peakMemory } from './processes.js';
import { measureVisits, printVisits, visitsDirectory, type VisitsTimes } from './visits.js';

const megabyte = 1_000_000;

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '500000' },
    parts: { type: 'string', default: '8' },
    /** Of the Leanplum job, with 5 states and 20 events each. */
    sessions: { type: 'string', default: '200000' },
    /** Of the Monetate day, with so many sessions each. */
    files: { type: 'string', default: '2000' },
    'per-file': { type: 'string', default: '500' },
    /** Dynatrace's sessions that are brought from the inbox into the tables. */
    received: { type: 'string', default: '50000' },
    /** For how long bodies are sent to the receiver. */
    seconds: { type: 'string', default: '30' },
    runs: { type: 'string', default: '3' },
    /** Rows of the day that memory is measured with; 0 leaves it out. */
    big: { type: 'string', default: '2000000' },
    quick: { type: 'boolean', default: false },
    /** A vendor. Default all. */
    only: { type: 'string' },
    /** `dlt`: the Megaphone day is loaded with it too, once. It is installed for Python, from the network. */
    beside: { type: 'string' },
  },
});
const amounts = values.quick
  ? {
      ...{ ...values, rows: '50000', sessions: '10000', files: '100', runs: '1', big: '100000' },
      ...{ received: '5000', seconds: '3' },
    }
  : values;
const [rows, parts, sessions, runs, big] = [
  ...[amounts.rows, amounts.parts, amounts.sessions, amounts.runs, amounts.big].map(Number),
] as [number, number, number, number, number];
const visits = { files: Number(amounts.files), perFile: Number(values['per-file']) };
const sent = { sessions: Number(amounts.received), seconds: Number(amounts.seconds) };
/** Rows of a row group, four times the usual. Each column is one page then, up to 20 MB of it, where Spark's have 1 MB. */
const largeRowGroup = 500_000;

interface Line {
  readonly what: string;
  readonly rows: number;
  readonly seconds: readonly number[];
  readonly text?: number;
  /** Bytes of the vendor's files. */
  readonly files?: number;
  readonly memory?: number | undefined;
  readonly ratio?: number;
}

/** Writes a day and puts it into the bucket. `work` is told the bytes of its files and where they lie. */
async function withDay<T>(
  place: Place,
  feed: Feed,
  day: Omit<DayShape, 'directory'>,
  work: (bytes: number, directory: string) => Promise<T>,
): Promise<T> {
  const directory = join(place.folder, 'export');
  await mkdir(directory);
  const bytes = await feed.write({ directory, ...day });
  await place.upload(place.source(feed.vendor), directory);
  const result = await work(bytes, directory);
  await rm(directory, { recursive: true });
  return result;
}

async function compare(
  place: Place,
  feed: Feed,
  day: Omit<DayShape, 'directory'>,
  files: number,
  runs: number,
): Promise<Line[]> {
  const source = place.source(feed.vendor);
  const worker = place.startWorker();
  // The first load warms both sides up, and gives the ceiling its rows.
  await loadOnce(place, source, nameDay(source, feed.type, day.date));
  const partition = `${source.schema}.${feed.table}_${day.date.replaceAll('-', '_')}`;
  const ceiling = await prepareCeiling(
    place.pool,
    partition,
    `export_date, ${feed.key}`,
    join(place.folder, 'rows.txt'),
  );
  const times: { ours: number[]; ceiling: number[] } = { ours: [], ceiling: [] };
  for (let run = 0; run < runs; run += 1) {
    times.ceiling.push(await ceiling.run());
    times.ours.push(await loadOnce(place, source, nameDay(source, feed.type, day.date)));
  }
  const memory = await peakMemory(worker.pid);
  await worker.stop();
  const { rows } = day;
  return [
    { what: 'COPY of a ready text file, then its key', rows, seconds: times.ceiling, text: ceiling.bytes },
    {
      what: whatOf(feed, day),
      rows,
      seconds: times.ours,
      text: ceiling.bytes,
      files,
      memory,
      ratio: median(times.ours) / median(times.ceiling),
    },
  ];
}

/** A Leanplum job: 34 rows a session, in six of its seven tables. */
async function compareJob(place: Place, sessions: number, runs: number): Promise<Line[]> {
  const { rows, text, files, memory, ours, ceiling } = await measureJob(place, sessions, runs);
  return [
    { what: 'COPY of seven ready text files, then their keys', rows, seconds: ceiling, text },
    {
      what: `leanplum, S3 to published in seven tables, ${sessions.toLocaleString('en-US')} sessions`,
      ...{ rows, seconds: ours, text, files, memory },
      ratio: median(ours) / median(ceiling),
    },
  ];
}

function linesOfVisits({ what, day, rows, text, ours, ceiling, memory }: VisitsTimes): Line[] {
  const [ourSeconds, ceilingSeconds] = [ours, ceiling].map((runs) => runs.map(({ all }) => all));
  const files = `${day.files.toLocaleString('en-US')} files`;
  const sessions = `${day.sessions.toLocaleString('en-US')} sessions`;
  return [
    { what: 'COPY of eight ready text files, then their keys', rows, seconds: ceilingSeconds ?? [], text },
    {
      what: `monetate, SFTP to published in eight tables, ${files}, ${sessions}, ${what}`,
      ...{ rows, seconds: ourSeconds ?? [], text, files: day.bytes, memory },
      ratio: median(ourSeconds ?? []) / median(ceilingSeconds ?? []),
    },
  ];
}

function linesOfInbox({ sessions, rows, bytes, text, ours, ceiling, memory }: InboxTimes): Line[] {
  return [
    { what: `COPY of six ready text files, then their keys`, rows, seconds: ceiling, text },
    {
      what: `dynatrace, inbox to published in six tables, ${sessions.toLocaleString('en-US')} sessions`,
      ...{ rows, seconds: ours, text, files: bytes, memory },
      ratio: median(ours) / median(ceiling),
    },
  ];
}

/** The file of a Megaphone day with dlt, beside the same ceiling. */
async function compareDlt(place: Place, file: string, [ceiling, ours]: readonly Line[]): Promise<Line> {
  const dlt = await installDlt((line) => console.error(line));
  const seconds = [await dlt.load(file, place.postgresUrl, place.folder)];
  return {
    what: `${dlt.name}, a file on the disk to a table without a key`,
    rows: ours?.rows ?? 0,
    seconds,
    ...(ours?.files === undefined ? {} : { files: ours.files }),
    ratio: median(seconds) / median(ceiling?.seconds ?? []),
  };
}

/** A larger day on a fresh worker, for its memory. */
async function measureMemory(
  place: Place,
  feed: Feed,
  day: Omit<DayShape, 'directory'>,
  files: number,
): Promise<Line> {
  const source = place.source(feed.vendor);
  const worker = place.startWorker();
  const seconds = await loadOnce(place, source, nameDay(source, feed.type, day.date));
  const memory = await peakMemory(worker.pid);
  await worker.stop();
  return { what: whatOf(feed, day), rows: day.rows, seconds: [seconds], files, memory };
}

function whatOf(feed: Feed, { parts, rowGroup }: Omit<DayShape, 'directory'>): string {
  const large = rowGroup === undefined ? '' : ', large row groups';
  return `${feed.vendor}, S3 to published, ${parts} ${parts === 1 ? 'file' : 'files'}${large}`;
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
    { title: 'FILE MB/S', cell: (line) => perSecond(line.files, line) },
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

const place = await bringUp({
  sftpDirectory: await visitsDirectory(visits),
  progress: (line) => console.error(line),
});
try {
  const large = [
    [optimizelyEvents, { date: '2026-03-03', rows: big, parts }],
    [optimizelyEvents, { date: '2026-03-04', rows: big, parts: 1, rowGroup: largeRowGroup }],
    [megaphoneMetrics, { date: '2026-03-02', rows: big, parts: 1 }],
  ] as const;
  const days = [
    [optimizelyEvents, { date: '2026-03-01', rows, parts }],
    [optimizelyEvents, { date: '2026-03-02', rows, parts: 1 }],
    [megaphoneMetrics, { date: '2026-03-01', rows, parts: 1 }],
  ] as const;
  const asked = ([feed]: readonly [Feed, ...unknown[]]): boolean =>
    values.only === undefined || values.only === feed.vendor;
  const lines: Line[] = [];
  for (const [feed, day] of days.filter(asked)) {
    await withDay(place, feed, day, async (files, directory) => {
      const compared = await compare(place, feed, day, files, runs);
      lines.push(...compared);
      if (values.beside !== 'dlt' || feed !== megaphoneMetrics) return;
      await compareDlt(place, join(directory, metricsKey(day.date)), compared).then(
        (line) => lines.push(line),
        (error: Error) => console.error(error.message),
      );
    });
  }
  if (values.only === undefined || values.only === 'leanplum') {
    lines.push(...(await compareJob(place, sessions, runs)));
  }
  const ofVisits =
    values.only === undefined || values.only === 'monetate' ? await measureVisits(place, visits, runs) : [];
  lines.push(...ofVisits.flatMap(linesOfVisits));
  const requests =
    values.only === undefined || values.only === 'dynatrace'
      ? await measureRequests(place, sent.seconds)
      : undefined;
  if (requests) lines.push(...linesOfInbox(await measureInbox(place, sent.sessions, runs)));
  for (const [feed, day] of big > 0 ? large.filter(asked) : []) {
    lines.push(await withDay(place, feed, day, (files) => measureMemory(place, feed, day, files)));
  }
  print(lines);
  if (ofVisits.length > 0) printVisits(ofVisits);
  if (requests) printRequests(requests);
} finally {
  await place.end();
}
