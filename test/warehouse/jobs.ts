import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type pg from 'pg';

import { readFile } from '../../reader/read-file.js';
import type { CsvKind } from '../../vendors/leanplum/layout.js';
import { leanplum } from '../../vendors/leanplum/vendor.js';
import { openDelivery } from '../../warehouse/ledger-delivery.js';
import { planLoad } from '../../warehouse/plan-load.js';
import { prepareSource } from '../../warehouse/prepare-source.js';
import { publishLoad } from '../../warehouse/publish-load.js';
import type { PublishedLoad, PublishRequest } from '../../warehouse/publish-request.js';
import { pendingFiles, stageFile } from '../../warehouse/stage-file.js';
import type { Target } from '../../warehouse/target.js';
import { reading } from '../reader/reading.js';
import { file, inPages } from './planning.js';

/** A source of Leanplum jobs, whose steps are called by hand. */
export const source = 'sessions';
export const target: Target = { schema: 'leanplum', date: '2026-11-20', ...leanplum.landing('sessions') };

export async function prepareJobs(pool: pg.Pool): Promise<void> {
  await prepareSource(pool, { name: source, vendor: leanplum.name, schema: target.schema }, leanplum.scripts);
}

export interface JobPart {
  readonly key: string;
  readonly bytes: string | Buffer;
}

/** A shard of a CSV job by what follows `-output` in its name: `events-10`. */
export function shard(job: string, name: `${CsvKind | ''}-${number}`, ...lines: string[]): JobPart {
  const uuid = `00000000-0000-4000-8000-${job.padStart(12, '0')}`;
  return { key: `20261120/export-1-${uuid}-output${name}`, bytes: lines.map((line) => `${line}\n`).join('') };
}

export function deliveryOf(job: string): string {
  return `${source}/${job}`;
}

let requests = 0;

/** Plans a load of files, without staging them; returns the load. */
export async function planJob(pool: pg.Pool, job: string, keys: readonly string[]): Promise<string> {
  const deliveryId = deliveryOf(job);
  await openDelivery(pool, { id: deliveryId, source, type: 'sessions', date: target.date }, 0);
  const { loadId } = await planLoad(pool, {
    ...{ deliveryId, source, target, request: `load-${++requests}`, force: true },
    ...{ marker: () => undefined, files: inPages(keys.map((key) => file(key))) },
    limits: { files: 1_000, bytes: 1e9 },
  });
  return loadId;
}

/** Plans a load and stages all its files, as a step does. */
export async function stageJob(pool: pg.Pool, job: string, parts: readonly JobPart[]): Promise<string> {
  const loadId = await planJob(
    pool,
    job,
    parts.map(({ key }) => key),
  );
  await reading(async (at) => {
    for (const pending of await pendingFiles(pool, loadId, 0)) {
      const { id: fileId, key } = pending;
      const path = join(at.folder, 'part');
      await writeFile(path, parts.find((part) => part.key === key)?.bytes ?? '');
      const constants = { exportDate: target.date, partitionValue: null, loadId, fileId };
      const shape = leanplum.shape('sessions', key);
      const rows = await readFile(at.connection, shape, { path, key }, constants, at, at.signal);
      await stageFile(pool, loadId, pending, rows, at.signal);
    }
  });
  return loadId;
}

export function publishJob(
  pool: pg.Pool,
  job: string,
  loadId: string,
  changes: Partial<PublishRequest> = {},
): Promise<PublishedLoad> {
  return publishLoad(pool, {
    ...{ loadId, deliveryId: deliveryOf(job), target, quarantineLimit: 0.5 },
    ...{ finality: 'final', reason: 'by hand', onlyGrows: false },
    ...changes,
  });
}

export async function loadJob(pool: pg.Pool, job: string, parts: readonly JobPart[]): Promise<PublishedLoad> {
  return publishJob(pool, job, await stageJob(pool, job, parts));
}
