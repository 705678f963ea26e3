import { deliveryStart, type DeliveryStart } from '../config/delivery-start.js';
import { nameJob } from '../config/name-delivery.js';
import type { SourceConfig } from '../config/schema.js';
import type { AskedFormat, ExportCounts, StartedExport } from '../model/export.js';
import { Failure, failureTypes } from '../model/failure.js';
import {
  askForExport,
  nameFiles,
  readExportResults,
  type ExportResults,
  type LeanplumApi,
} from '../stores/leanplum-api.js';
import { jobOf, placeOfCopies } from '../vendors/leanplum/export.js';
import { dateFolder } from '../vendors/leanplum/layout.js';
import { pacificDay } from '../vendors/leanplum/pacific.js';
import type { Dependencies } from './dependencies.js';
import { withHeartbeat } from './heartbeat.js';
import { exportApi } from './sources.js';

export interface AskExportStep {
  readonly source: string;
  /** Pacific days, both included. */
  readonly from: string;
  readonly to: string;
  readonly format: AskedFormat;
  /** Epoch ms, the workflow's clock. */
  readonly now: number;
}

export interface ExportProgressStep {
  readonly source: string;
  readonly exportJob: string;
  /** The Pacific day on which it was asked for. */
  readonly date: string;
  /** Epoch ms, the workflow's clock. */
  readonly now: number;
}

export type ExportProgress =
  /** PENDING, RUNNING, FAILED, or a word that is not documented. */
  | { readonly state: string; readonly finished: false }
  | {
      readonly state: string;
      readonly finished: true;
      readonly counts: ExportCounts;
      /** The delivery that loads it; absent where there is nothing. */
      readonly start?: DeliveryStart;
    };

export function createAskExport({ source }: Pick<Dependencies, 'source'>) {
  /**
   * Asks Leanplum for an export, once: it costs one of 24 a day. Fails with `StoreUnavailable` only where Leanplum
   * certainly did not hear of it.
   */
  return async function askExport({
    source: name,
    from,
    to,
    format,
    now,
  }: AskExportStep): Promise<StartedExport> {
    const { config, api } = apiOf(source, name);
    const date = pacificDay(now);
    const exportJob = await askForExport(api, { from, to, format, copyTo: copyTarget(config, date) });
    return { date, ...(exportJob === undefined ? {} : { exportJob }) };
  };
}

/** Of a worker that does not have it Leanplum certainly did not hear: the workflow asks another one. */
function apiOf(
  source: Dependencies['source'],
  name: string,
): { readonly config: SourceConfig; readonly api: LeanplumApi } {
  try {
    const { config } = source(name);
    return { config, api: exportApi(config) };
  } catch (error) {
    if (!(error instanceof Failure) || error.type !== failureTypes.sourceMissing) throw error;
    throw new Failure(failureTypes.storeUnavailable, error.message);
  }
}

export function createExportProgress({ source }: Pick<Dependencies, 'source'>) {
  /** How far an export is; of a finished one, how the delivery of its job is started. */
  return async function exportProgress(step: ExportProgressStep): Promise<ExportProgress> {
    const { config } = source(step.source);
    const results = await withHeartbeat(
      () => undefined,
      (signal) => readExportResults(exportApi(config), step.exportJob, signal),
    );
    const { state, files, copies, sessions, bytes } = results;
    if (state !== 'FINISHED') return { state, finished: false };
    const counts: ExportCounts = {
      files: Math.max(files.size, copies?.keys.length ?? 0),
      ...(sessions === undefined ? {} : { sessions }),
      ...(bytes === undefined ? {} : { bytes }),
    };
    if (counts.files === 0) return { state, finished: true, counts };
    return { state, finished: true, counts, start: startOf(config, step, results) };
  };
}

/**
 * The delivery of a finished export. Copies that lie where those of the automatic export do are that job's, which goes
 * on as any other; else it is the results that are loaded.
 */
function startOf(
  config: SourceConfig,
  { exportJob, date, now }: ExportProgressStep,
  { files, copies }: ExportResults,
): DeliveryStart {
  const [type = 'sessions'] = config.types;
  if (copies !== undefined) {
    const { bucket, prefix } = placeOf(config);
    const wanted = `s3://${bucket}/${prefix}${dateFolder(date)}`;
    if (copies.failed.length > 0) {
      throw new Failure(
        failureTypes.exportFailed,
        `Leanplum finished the export ${exportJob}, and did not copy ${count(copies.failed.length, 'file')} to ${wanted}: ` +
          `${nameFiles(copies.failed)}. Nothing is loaded. Look whether the keys of api.copyToStore may write there ` +
          `(s3:PutObject), then ask for the export anew; without copyToStore it is downloaded instead.`,
      );
    }
    const place = placeOfCopies(prefix, copies.keys);
    if (place) return deliveryStart(config, nameJob(config, type, place.date, place.job), now);
    if (files.size === 0) {
      throw new Failure(
        failureTypes.exportFailed,
        `Leanplum finished the export ${exportJob}, and copied it to ${nameFiles(copies.keys)} of ${bucket}, which is no ` +
          `folder of a day below store.prefix: it is not found there. Nothing is loaded. Ask for it without copyToStore.`,
      );
    }
  }
  try {
    const { job } = jobOf([...files.keys()]);
    return deliveryStart(config, { ...nameJob(config, type, date, job), exportJob }, now);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Failure(
      failureTypes.exportFailed,
      `Leanplum finished the export ${exportJob}, and its results cannot be loaded. ${why} Please report it.`,
    );
  }
}

/**
 * "An optional prefix of files to write to S3. Example: `dirname/`": it precedes their names as it is, so the folder of
 * the day is part of it.
 */
function copyTarget(
  config: SourceConfig,
  date: string,
): { readonly bucket: string; readonly prefix: string } {
  const { bucket, prefix } = placeOf(config);
  return { bucket, prefix: prefix + dateFolder(date) };
}

function placeOf(source: SourceConfig): { readonly bucket: string; readonly prefix: string } {
  if (source.vendor !== 'leanplum') throw new Error('Only Leanplum copies what was asked for into a bucket.');
  return { bucket: source.store.bucket ?? '', prefix: source.store.prefix ?? '' };
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
