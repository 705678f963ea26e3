import { join } from 'node:path';

import type { DuckDBConnection } from '@duckdb/node-api';

import type { Delivery } from '../model/delivery.js';
import { makePipe } from '../reader/copy-out.js';
import { withDuckDb } from '../reader/duckdb.js';
import { readFile } from '../reader/read-file.js';
import { batchRows, type BatchRows } from '../warehouse/batch-rows.js';
import { pendingFiles, stageFile, type PendingFile } from '../warehouse/stage-file.js';
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
  /**
   * Brings a batch of files into the load's staging table, one transaction a file, and leaves alone those that an
   * earlier or a concurrent attempt has staged.
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
        },
        place,
        signal,
      );
      await stageFile(deps.pool, step.loadId, file, rows, signal);
      progress.rows += rows.parsed();
    };

    return withHeartbeat(
      () => progress,
      async (signal) => {
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
              await deps.readers.take(signal, () => stageOne(connection, file, place, signal));
              progress.files += 1;
            }
          });
        });
        return (await batchRows(deps.pool, step.loadId, step.batch)).staged;
      },
    );
  };
}
