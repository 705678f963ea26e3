/** The bucket that `landfall dev` loads from where no source is configured. */

import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

import { z } from 'zod';

import { parseDayFolder } from '../vendors/optimizely/layout.js';
import { openBucket } from './bucket.js';
import { writeSampleExport } from './optimizely/sample.js';
import type { Progress } from './progress.js';
import type { S3Server } from './s3.js';

const description = z.object({
  bucket: z.string(),
  /** Root of the export, with its final slash. */
  prefix: z.string(),
  /** First and last day of the export. */
  from: z.string(),
  to: z.string(),
});

export type SampleBucket = Readonly<z.output<typeof description>>;

export interface SampleRequest {
  readonly server: S3Server;
  /** Remembers what was put into the bucket, so that a second start finds the same files. */
  readonly memory: string;
  /** Folder of real samples (LANDFALL_SAMPLES); absent: an export is made up. */
  readonly samples?: string;
  /** Last day of an export that is made up. */
  readonly lastDay: string;
  readonly progress: Progress;
}

/** Buckets that the S3 server has to make: one for the real sample, one for the other. */
export const sampleBuckets = ['optimizely-sample', 'optimizely-made-up'] as const;

/** Fills the bucket, unless an earlier start has. Throws an error that says what is missing in a samples folder. */
export async function fillSampleBucket(request: SampleRequest): Promise<SampleBucket> {
  const bucket = request.samples === undefined ? sampleBuckets[1] : sampleBuckets[0];
  const memory = `${request.memory}.${bucket}.json`;
  const earlier = await readFile(memory, 'utf8').catch(() => undefined);
  if (earlier !== undefined) return description.parse(JSON.parse(earlier));

  const filled = await withExport(request, async (directory) => {
    const found = await describe(directory, bucket);
    request.progress(
      `Puts the ${request.samples === undefined ? 'made-up' : 'real'} sample export into a bucket`,
    );
    await upload(request.server, bucket, directory);
    return found;
  });
  await writeFile(memory, JSON.stringify(filled));
  return filled;
}

async function withExport<T>(request: SampleRequest, work: (directory: string) => Promise<T>): Promise<T> {
  if (request.samples !== undefined) return work(join(request.samples, 'optimizely'));
  const directory = await mkdtemp(join(tmpdir(), 'landfall-sample-'));
  try {
    await writeSampleExport({ directory, lastDay: request.lastDay });
    return await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function listFiles(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)).replaceAll('\\', '/'));
}

async function describe(directory: string, bucket: string): Promise<SampleBucket> {
  const keys = await listFiles(directory).catch(() => []);
  const dated = keys
    .map((key) => /^(.*?\/)?(type=[^/]+\/date=[^/]+\/)/.exec(key))
    .filter((found) => found !== null);
  const days = dated.map((found) => parseDayFolder(found[2] ?? '')).filter((day) => day !== undefined);
  const [from, to] = [days.sort()[0], days.at(-1)];
  if (from === undefined || to === undefined) {
    throw new Error(
      `There is no sample export in ${directory}. LANDFALL_SAMPLES must name a folder that holds ` +
        `optimizely/v1/account_id=…/type=…/date=…/; without it a sample is made up.`,
    );
  }
  return { bucket, prefix: dated[0]?.[1] ?? '', from, to };
}

/** Markers last, as the vendor does. */
async function upload(server: S3Server, bucket: string, directory: string): Promise<void> {
  const target = openBucket(server, bucket);
  try {
    const isMarker = (key: string): boolean => key.endsWith('/_SUCCESS');
    const keys = (await listFiles(directory)).sort((a, b) => Number(isMarker(a)) - Number(isMarker(b)));
    for (const key of keys) await target.put(key, join(directory, key));
  } finally {
    target.close();
  }
}
