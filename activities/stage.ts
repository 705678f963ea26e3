import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';

import type { DuckDBConnection } from '@duckdb/node-api';

import type { Delivery } from '../model/delivery.js';
import { copyOut, makePipe } from '../reader/copy-out.js';
import { withDuckDb } from '../reader/duckdb.js';
import { openParquet, unreadable } from '../reader/parquet.js';
import { project } from '../reader/projection.js';
import { batchRows, type BatchRows } from '../warehouse/batch-rows.js';
import { pendingFiles, stageFile, type PendingFile } from '../warehouse/stage-file.js';
import type { Dependencies } from './dependencies.js';
import { withHeartbeat } from './heartbeat.js';

export interface StageStep {
  readonly delivery: Delivery;
  readonly loadId: string;
  readonly batch: number;
}

export function createStage(deps: Dependencies) {
  /**
   * Brings a batch of files into the load's staging table, one transaction a file, and leaves alone those that an
   * earlier or a concurrent attempt has staged.
   */
  return async function stage(step: StageStep): Promise<BatchRows> {
    const { config, vendor, store } = deps.source(step.delivery.source);
    const table = vendor.table(step.delivery.type);
    const progress = { file: '', files: 0, of: 0, bytes: 0, rows: 0 };

    const stageOne = async (
      connection: DuckDBConnection,
      file: PendingFile,
      paths: { part: string; pipe: string },
      signal: AbortSignal,
    ): Promise<void> => {
      const parquet = await openParquet(connection, paths.part, file.key);
      const { columns, good, bad } = project(table, parquet.columns, parquet.source, parquet.line, {
        exportDate: step.delivery.date,
        partitionValue: file.partitionValue,
        loadId: step.loadId,
        fileId: file.id,
      });
      await stageFile(
        deps.pool,
        step.loadId,
        file,
        {
          parsed: parquet.rows,
          columns,
          good: (consume) => copyOut(connection, good, paths.pipe, consume),
          bad: (consume) => copyOut(connection, bad, paths.pipe, consume),
        },
        signal,
      ).catch(async (error: unknown) => {
        throw await unreadable(connection, error, paths.part, `${config.name}: ${file.key}`);
      });
      progress.rows += parquet.rows;
    };

    return withHeartbeat(
      () => progress,
      async (signal) => {
        const files = await pendingFiles(deps.pool, step.loadId, step.batch);
        progress.of = files.length;
        await inFolder(deps.spoolDirectory, async (folder) => {
          const paths = { part: join(folder, 'part.parquet'), pipe: join(folder, 'rows') };
          await makePipe(paths.pipe);
          await withDuckDb({ ...deps.reader, spillDirectory: folder }, signal, async (connection) => {
            for (const file of files) {
              progress.file = file.key;
              await store.fetch(file, paths.part, {
                signal,
                onBytes: (count) => (progress.bytes += count),
              });
              await deps.readers.take(signal, () => stageOne(connection, file, paths, signal));
              progress.files += 1;
            }
          });
        });
        return (await batchRows(deps.pool, step.loadId, step.batch)).staged;
      },
    );
  };
}

/** A folder for one attempt, gone afterwards whatever happens. */
async function inFolder(parent: string, work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(parent, 'batch-'));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
