import { join } from 'node:path';

import type { DuckDBConnection } from '@duckdb/node-api';
import { log } from '@temporalio/activity';

import { maskDigest } from '../config/mask-digest.js';
import type { SourceConfig } from '../config/schema.js';
import type { Delivery } from '../model/delivery.js';
import { Failure, failureTypes } from '../model/failure.js';
import { makePipe } from '../reader/copy-out.js';
import { withDuckDb } from '../reader/duckdb.js';
import { masksOf } from '../reader/masks.js';
import { readFile } from '../reader/read-file.js';
import { batchRows, type BatchRows } from '../warehouse/batch-rows.js';
import { noteMask } from '../warehouse/mask-changes.js';
import { pendingFiles, stageFile, type PendingFile } from '../warehouse/stage-file.js';
import { leaveOut } from '../warehouse/unreadable-files.js';
import type { Dependencies } from './dependencies.js';
import { withHeartbeat } from './heartbeat.js';
import { inFolder } from './in-folder.js';

export interface StageStep {
  readonly delivery: Delivery;
  readonly loadId: string;
  readonly batch: number;
}

/** Where an attempt works. */
interface Place {
  readonly folder: string;
  /** The file that is being staged. */
  readonly part: string;
  readonly pipe: string;
}

export function createStage(deps: Dependencies) {
  const masksNoted = new Set<string>();

  /** Once a worker and source. */
  const noteMaskOf = async (config: SourceConfig): Promise<void> => {
    if (masksNoted.has(config.name)) return;
    if (await noteMask(deps.pool, config.name, maskDigest(config))) {
      log.warn(
        `The mask rules or the maskKey of source ${config.name} have changed. Rows that were loaded before stay as they ` +
          `are until 'landfall reprocess' loads their deliveries again.`,
      );
    }
    masksNoted.add(config.name);
  };

  /**
   * Brings a batch of files into the load's staging table, one transaction a file, and leaves alone those that an
   * earlier or a concurrent attempt has staged. Where files come one by one, those that cannot be read are left out.
   */
  return async function stage(step: StageStep): Promise<BatchRows> {
    const { config, vendor, storeOf } = deps.source(step.delivery.source);
    const store = storeOf(step.delivery);
    const progress = { file: '', files: 0, of: 0, bytes: 0, rows: 0 };

    const stageOne = async (
      connection: DuckDBConnection,
      file: PendingFile,
      place: Place,
      signal: AbortSignal,
    ): Promise<void> => {
      const rows = await readFile(
        connection,
        vendor.shape(step.delivery.type, file.key),
        { path: place.part, key: `${config.name}: ${file.key}` },
        {
          exportDate: step.delivery.date,
          partitionValue: file.partitionValue,
          loadId: step.loadId,
          fileId: file.id,
          masks: masksOf(config),
        },
        place,
        signal,
      );
      await stageFile(deps.pool, step.loadId, file, rows, signal);
      progress.rows += rows.parsed();
    };

    /** Where files come one by one, a load is published without those that cannot be read. */
    const leaveOutUnreadable = async (file: PendingFile, error: unknown): Promise<void> => {
      const unreadable = error instanceof Failure && error.type === failureTypes.fileUnreadable;
      if (!unreadable || vendor.landing(step.delivery.type).adds !== true) throw error;
      await leaveOut(deps.pool, step.loadId, file, error.fault ?? error.message);
    };

    return withHeartbeat(
      () => progress,
      async (signal) => {
        await noteMaskOf(config);
        const files = await pendingFiles(deps.pool, step.loadId, step.batch);
        progress.of = files.length;
        await inFolder(deps.spoolDirectory, async (folder) => {
          const place = { folder, part: join(folder, 'part'), pipe: join(folder, 'rows') };
          await makePipe(place.pipe);
          await withDuckDb({ ...deps.reader, spillDirectory: folder }, signal, async (connection) => {
            for (const file of files) {
              progress.file = file.key;
              await store.fetch(file, place.part, {
                signal,
                onBytes: (count) => (progress.bytes += count),
              });
              await deps.readers
                .take(signal, () => stageOne(connection, file, place, signal))
                .catch((error: unknown) => leaveOutUnreadable(file, error));
              progress.files += 1;
            }
          });
        });
        return (await batchRows(deps.pool, step.loadId, step.batch)).staged;
      },
    );
  };
}
