/** A Monetate day of many small files, from SFTP to published in eight tables, beside COPY of the same rows. */

import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { targetOf } from '../activities/target.js';
import { writeTable } from '../client/table.js';
import { nameDay } from '../config/name-delivery.js';
import type { SourceConfig } from '../config/schema.js';
import type { Delivery } from '../model/delivery.js';
import { cacheDirectory } from '../sandbox/cache.js';
import { writeBulkDay, type BulkDay } from '../sandbox/monetate/bulk.js';
import { storedTables } from '../vendors/monetate/tables.js';
import { monetate } from '../vendors/monetate/vendor.js';
import { discardDelivery } from '../warehouse/discard-delivery.js';
import { prepareCeiling, type Ceiling } from './ceiling.js';
import { loadOnce } from './load.js';
import { median } from './median.js';
import type { Place } from './place.js';
import { peakMemory, processorSecondsOfAll } from './processes.js';
import { stepTimes, type StepTimes } from './step-times.js';

/** Long past: no session of it can come any more, so that it is final when it is loaded. */
const date = '2026-03-01';

export interface VisitsShape {
  readonly files: number;
  readonly perFile: number;
}

/** Processor seconds. */
interface Work {
  readonly worker: number;
  readonly postgres: number;
}

export interface VisitsTimes {
  readonly what: string;
  readonly day: BulkDay;
  /** Over all tables. */
  readonly rows: number;
  /** Of the ceiling's text files. */
  readonly text: number;
  /** From the start of the plan to published, of each run. */
  readonly ours: readonly (StepTimes & Work)[];
  readonly ceiling: readonly (Pick<Work, 'postgres'> & { readonly all: number })[];
  readonly memory: number | undefined;
}

/** Where a day of this shape lies, which is made once a machine. */
export async function visitsDirectory({ files, perFile }: VisitsShape): Promise<string> {
  const directory = join(cacheDirectory(), `bench-monetate-${files}x${perFile}`);
  await mkdir(directory, { recursive: true });
  return directory;
}

/** With what is personal as it comes, then with the masks that are usual. */
export async function measureVisits(place: Place, shape: VisitsShape, runs: number): Promise<VisitsTimes[]> {
  const directory = await visitsDirectory(shape);
  const { files, perFile: sessionsPerFile } = shape;
  const memory = join(directory, 'day.json');
  const day = await writeBulkDay({ directory, date, files, sessionsPerFile, memory });
  return [
    await measureSource(place, place.source('monetate', 'visits'), day, runs, 'nothing masked'),
    await measureSource(place, place.source('monetate', 'hashed'), day, runs, 'personal data hashed'),
  ];
}

/** Each load is a first one, into empty tables. It takes so long that nothing has to be warmed up. */
async function measureSource(
  place: Place,
  source: SourceConfig,
  day: BulkDay,
  runs: number,
  what: string,
): Promise<VisitsTimes> {
  const delivery = nameDay(source, 'sessions', date);
  const worker = place.startWorker();
  const ours: VisitsTimes['ours'][number][] = [];
  const ceiling: VisitsTimes['ceiling'][number][] = [];
  let ceilings: readonly Ceiling[] = [];
  for (let run = 0; run < runs; run += 1) {
    const before = await workOf(place, worker.pid);
    await loadOnce(place, source, delivery);
    const after = await workOf(place, worker.pid);
    ours.push({ ...(await stepTimes(place.client, delivery.id)), ...difference(after, before) });
    if (run === 0) ceilings = await prepareCeilings(place, source);
    await empty(place, source, delivery);
    ceiling.push(await runCeilings(place, ceilings));
  }
  const memory = await peakMemory(worker.pid);
  await worker.stop();
  for (const { name } of storedTables) await rm(join(place.folder, `${name}.txt`));
  return {
    ...{ what, day, ours, ceiling, memory },
    rows: Object.values(day.rows).reduce((sum, rows) => sum + rows, 0),
    text: ceilings.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

async function workOf(place: Place, worker: number): Promise<Work> {
  return {
    worker: await processorSecondsOfAll(worker),
    postgres: await processorSecondsOfAll(place.postgresPid),
  };
}

function difference(after: Work, before: Work): Work {
  return { worker: after.worker - before.worker, postgres: after.postgres - before.postgres };
}

async function prepareCeilings(place: Place, source: SourceConfig): Promise<Ceiling[]> {
  const ceilings: Ceiling[] = [];
  for (const { name, key } of storedTables) {
    const file = join(place.folder, `${name}.txt`);
    ceilings.push(await prepareCeiling(place.pool, `${source.schema}.${name}`, key.join(', '), file));
  }
  return ceilings;
}

async function runCeilings(
  place: Place,
  ceilings: readonly Ceiling[],
): Promise<VisitsTimes['ceiling'][number]> {
  const before = await processorSecondsOfAll(place.postgresPid);
  let all = 0;
  for (const ceiling of ceilings) all += await ceiling.run();
  return { all, postgres: (await processorSecondsOfAll(place.postgresPid)) - before };
}

/** Leaves nothing of the day that the next load could find. */
async function empty(place: Place, source: SourceConfig, delivery: Delivery): Promise<void> {
  const names = storedTables.map(({ name }) => `${source.schema}.${name}`);
  await place.pool.query(`truncate ${names.join(', ')}`);
  await discardDelivery(place.pool, {
    ...{ deliveryId: delivery.id, target: targetOf(source, monetate, delivery) },
    ...{ reason: 'It is measured once more.', request: `emptied at ${Date.now()}` },
  });
}

/** What the other vendors' measurements do not have: files, sessions, steps and processor time, medians of all runs. */
export function printVisits(times: readonly VisitsTimes[]): void {
  const of = ({ ours }: VisitsTimes, pick: (run: VisitsTimes['ours'][number]) => number): number =>
    median(ours.map(pick));
  const seconds = (value: number): string => value.toFixed(1);
  const table = writeTable(times, [
    { title: 'MONETATE', cell: ({ what }) => what },
    { title: 'FILES/S', cell: (one) => seconds(one.day.files / of(one, ({ all }) => all)) },
    { title: 'SESSIONS/S', cell: (one) => Math.round(one.day.sessions / of(one, ({ all }) => all)) },
    { title: 'PLAN', cell: (one) => seconds(of(one, ({ plan }) => plan)) },
    { title: 'STAGE', cell: (one) => seconds(of(one, ({ stage }) => stage)) },
    { title: 'PUBLISH', cell: (one) => seconds(of(one, ({ publish }) => publish)) },
    { title: "WORKER'S PROCESSOR", cell: (one) => seconds(of(one, ({ worker }) => worker)) },
    { title: "POSTGRES' PROCESSOR", cell: (one) => seconds(of(one, ({ postgres }) => postgres)) },
    {
      title: 'THAT OF COPY',
      cell: ({ ceiling }) => seconds(median(ceiling.map(({ postgres }) => postgres))),
    },
  ]);
  console.log(`\n${table}`);
}
