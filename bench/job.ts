/** A Leanplum job, from S3 to published in seven tables, beside COPY of the same rows. */

import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { nameJob } from '../config/name-delivery.js';
import { writeBulkJob } from '../sandbox/leanplum/bulk.js';
import { leanplum } from '../vendors/leanplum/vendor.js';
import { prepareCeiling, type Ceiling } from './ceiling.js';
import { loadOnce } from './load.js';
import type { Place } from './place.js';
import { peakMemory } from './processes.js';

export interface JobTimes {
  /** Over all tables. */
  readonly rows: number;
  /** Of the shards. */
  readonly files: number;
  /** Of the ceiling's text files. */
  readonly text: number;
  /** Seconds of each run. */
  readonly ours: readonly number[];
  readonly ceiling: readonly number[];
  readonly memory: number | undefined;
}

/** Each run begins with empty tables. */
export async function measureJob(place: Place, sessions: number, runs: number): Promise<JobTimes> {
  const source = place.source('leanplum');
  const { tables } = leanplum.landing('sessions');
  const names = tables.map(({ name }) => `${source.schema}.${name}`);
  const directory = join(place.folder, 'export');
  await mkdir(directory);
  const job = await writeBulkJob({
    ...{ directory, sessions, date: '2026-03-01' },
    uuid: '37e812c0-d66e-48a2-8812-27ee12d58b58',
  });
  await place.upload(source, directory);
  await rm(directory, { recursive: true });

  const delivery = nameJob(source, 'sessions', job.date, job.uuid);
  const worker = place.startWorker();
  // The first load warms both sides up, and gives the ceiling its rows.
  await loadOnce(place, source, delivery);
  const ceilings: Ceiling[] = [];
  for (const { name, key } of tables) {
    const file = join(place.folder, `${name}.txt`);
    ceilings.push(await prepareCeiling(place.pool, `${source.schema}.${name}`, key.join(', '), file));
  }
  const times: { ours: number[]; ceiling: number[] } = { ours: [], ceiling: [] };
  for (let run = 0; run < runs; run += 1) {
    await place.pool.query(`truncate ${names.join(', ')}`);
    let seconds = 0;
    for (const ceiling of ceilings) seconds += await ceiling.run();
    times.ceiling.push(seconds);
    times.ours.push(await loadOnce(place, source, delivery));
  }
  const memory = await peakMemory(worker.pid);
  await worker.stop();
  await place.pool.query(`truncate ${names.join(', ')}`);
  return {
    ...times,
    rows: Object.values(job.rows).reduce((sum, rows) => sum + rows, 0),
    files: job.bytes,
    text: ceilings.reduce((sum, { bytes }) => sum + bytes, 0),
    memory,
  };
}
