import { join } from 'node:path';

import type { DuckDBConnection } from '@duckdb/node-api';

import { maskDigest } from '../config/mask-digest.js';
import type { Delivery } from '../model/delivery.js';
import { Failure, failureTypes } from '../model/failure.js';
import type { GroupRows } from '../model/row-text.js';
import { makePipe } from '../reader/copy-out.js';
import { withDuckDb } from '../reader/duckdb.js';
import { masksOf } from '../reader/masks/masks.js';
import type { FileAt } from '../reader/file-bytes.js';
import { refuseOtherFormats } from '../reader/other-format.js';
import { formatNames, isGrouped, readFile, readGroup } from '../reader/read-file.js';
import type { FileShape } from '../vendors/table.js';
import { batchRows, type BatchRows } from '../warehouse/batch-rows.js';
import { requireMask } from '../warehouse/mask-changes.js';
import { pendingFiles, stageFile, type PendingFile } from '../warehouse/stage-file.js';
import type { Dependencies } from './dependencies.js';
import { withHeartbeat } from './heartbeat.js';
import { inFolder } from './in-folder.js';
import { stageGroups, type FetchedFile } from './stage-groups.js';

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
   * Brings a batch of files into the load's staging tables, one transaction a file or group of small files, and leaves
   * alone those that an earlier or a concurrent attempt has staged.
   */
  return async function stage(step: StageStep): Promise<BatchRows> {
    const { config, vendor, storeOf } = deps.source(step.delivery.source);
    const store = storeOf(step.delivery);
    const progress = { file: '', files: 0, of: 0, bytes: 0, rows: 0 };

    const constants = {
      exportDate: step.delivery.date,
      loadId: step.loadId,
      masks: masksOf(config),
    };
    const fetch = (file: PendingFile, path: string, signal: AbortSignal): Promise<void> => {
      progress.file = file.key;
      return store.fetch(file, path, { signal, onBytes: (count) => (progress.bytes += count) });
    };
    // What Landfall has put together itself is as it should be; its bodies are judged line by line.
    const check = async (at: FileAt, { format }: FileShape): Promise<void> => {
      if (vendor.deliveries.are !== 'batches') await refuseOtherFormats(at, formatNames[format]);
    };
    const onStaged = (files: number, rows: number): void => {
      progress.files += files;
      progress.rows += rows;
    };

    const stageOne = async (
      connection: DuckDBConnection,
      file: PendingFile,
      place: Place,
      signal: AbortSignal,
    ): Promise<void> => {
      await fetch(file, place.part, signal);
      const at = { path: place.part, key: `${config.name}: ${file.key}` };
      const shape = vendor.shape(step.delivery.type, file.key);
      await check(at, shape);
      await deps.readers.take(signal, async () => {
        const rows = await readFile(
          connection,
          shape,
          at,
          { ...constants, partitionValue: file.partitionValue, fileId: file.id },
          place,
          signal,
        );
        await stageFile(deps.pool, step.loadId, file, rows, signal);
        onStaged(1, rows.parsed());
      });
    };

    // A store that refuses one request of ten refuses every attempt at many files, and is not one that keeps refusing.
    const unlessItWentOn = (error: unknown): unknown => {
      const isRefusal = error instanceof Failure && error.type === failureTypes.accessDenied;
      if (!isRefusal || progress.files === 0) return error;
      return new Failure(failureTypes.storeUnavailable, error.message, { cause: error });
    };
    return withHeartbeat(
      () => progress,
      async (signal) => {
        await requireMask(deps.pool, config.name, step.loadId, maskDigest(config));
        const files = await pendingFiles(deps.pool, step.loadId, step.batch);
        progress.of = files.length;
        const shape = files[0] && vendor.shape(step.delivery.type, files[0].key);
        await inFolder(deps.spoolDirectory, (folder) =>
          withDuckDb({ ...deps.reader, spillDirectory: folder }, signal, async (connection) => {
            if (shape && isGrouped(shape)) {
              const read = (group: readonly FetchedFile[]): Promise<GroupRows> => {
                const named = group.map(({ id, path, key }) => ({ id, path, key: `${config.name}: ${key}` }));
                return readGroup(
                  connection,
                  shape,
                  named,
                  { ...constants, partitionValue: null },
                  folder,
                  signal,
                );
              };
              const refuse = ({ path, key }: FetchedFile): Promise<void> =>
                check({ path, key: `${config.name}: ${key}` }, shape);
              const grouping = { loadId: step.loadId, folder, fetch, refuse, read, onStaged };
              await stageGroups(deps, files, grouping, signal);
              return;
            }
            const place = { folder, part: join(folder, 'part'), pipe: join(folder, 'rows') };
            await makePipe(place.pipe);
            for (const file of files) await stageOne(connection, file, place, signal);
          }),
        ).catch((error: unknown) => {
          throw unlessItWentOn(error);
        });
        return (await batchRows(deps.pool, step.loadId, step.batch)).staged;
      },
    );
  };
}
