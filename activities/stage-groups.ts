import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import type { GroupRows } from '../model/row-text.js';
import { Failure, failureTypes } from '../model/failure.js';
import { oneAhead } from '../reader/pieces.js';
import { batcher } from '../warehouse/plan-load.js';
import { stageFiles, type PendingFile } from '../warehouse/stage-file.js';
import { leaveOut } from '../warehouse/unreadable-files.js';
import type { Dependencies } from './dependencies.js';

/** A file of a group, and where it was fetched to. */
export interface FetchedFile extends PendingFile {
  readonly path: string;
}

/** How small files are staged together. */
export interface Grouping {
  readonly loadId: string;
  /** A folder to work in. */
  readonly folder: string;
  readonly fetch: (file: PendingFile, path: string, signal: AbortSignal) => Promise<void>;
  /** Throws `FileUnreadable` for a file of another format. */
  readonly refuse: (file: FetchedFile) => Promise<void>;
  readonly read: (files: readonly FetchedFile[]) => Promise<GroupRows>;
  /** Told of each group that is staged. */
  readonly onStaged: (files: number, rows: number) => void;
}

/**
 * A group is staged in one transaction, and the next one fetched meanwhile. Of 2,000 files of 107 kB it holds some 75,
 * a tenth of a step's 32 MB: what a fault makes read again is not much.
 */
const groupLimits = { files: 100, bytes: 8 * 1024 * 1024 };

/** At once, of one group. A store has its own bound, which holds for all that a worker reads. */
const fetchesAtOnce = 4;

/**
 * Stages files in groups, in the order given. Those that cannot be read are left out, as far as that is theirs: of a group
 * of which Postgres refuses a row each file is staged alone.
 */
export async function stageGroups(
  { pool, readers }: Pick<Dependencies, 'pool' | 'readers'>,
  files: readonly PendingFile[],
  grouping: Grouping,
  signal: AbortSignal,
): Promise<void> {
  const { loadId } = grouping;

  const stage = async (group: readonly FetchedFile[]): Promise<void> => {
    const paths = new Map(group.map(({ id, path }) => [id, path]));
    let rows: GroupRows | undefined;
    const read = async (left: readonly PendingFile[]): Promise<GroupRows> => {
      rows = await grouping.read(left.map((file) => ({ ...file, path: paths.get(file.id) ?? '' })));
      return rows;
    };
    await readers.take(signal, () => stageFiles(pool, loadId, group, read, signal));
    grouping.onStaged(group.length, rows?.parsed() ?? 0);
  };

  /** Leaves a file out for an error that says that it cannot be read. */
  const leave = async (file: FetchedFile, error: unknown): Promise<void> => {
    if (!isUnreadable(error)) throw error;
    await leaveOut(pool, loadId, file, error.fault ?? error.message);
    grouping.onStaged(1, 0);
  };

  for await (const fetched of oneAhead(fetchGroups(files, grouping, signal))) {
    const group: FetchedFile[] = [];
    for (const file of fetched) {
      await grouping.refuse(file).then(
        () => void group.push(file),
        (error: unknown) => leave(file, error),
      );
    }
    if (group.length === 0) continue;
    try {
      await stage(group);
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      for (const file of group) await stage([file]).catch((own: unknown) => leave(file, own));
    }
  }
}

function isUnreadable(error: unknown): error is Failure {
  return error instanceof Failure && error.type === failureTypes.fileUnreadable;
}

/** Two groups are there at a time: one that is used and one that is being fetched. */
async function* fetchGroups(
  files: readonly PendingFile[],
  { folder, fetch }: Grouping,
  signal: AbortSignal,
): AsyncGenerator<readonly FetchedFile[]> {
  for (const [number, group] of inGroups(files).entries()) {
    const place = join(folder, `group-${number % 2}`);
    await mkdir(place, { recursive: true });
    const fetched = group.map((file, index) => ({ ...file, path: join(place, String(index)) }));
    await atOnce(fetched, signal, (file, aborted) => fetch(file, file.path, aborted));
    yield fetched;
  }
}

function inGroups(files: readonly PendingFile[]): PendingFile[][] {
  const groupOf = batcher(groupLimits);
  const groups: PendingFile[][] = [];
  for (const file of files) (groups[groupOf(file.size)] ??= []).push(file);
  return groups;
}

/** Works on some items at a time. When one fails the others are broken off, and have ended when it throws. */
async function atOnce<T>(
  items: readonly T[],
  signal: AbortSignal,
  work: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const failed = new AbortController();
  const both = AbortSignal.any([signal, failed.signal]);
  const left = items.values();
  const worker = async (): Promise<void> => {
    for (const item of left) {
      if (both.aborted) return;
      await work(item, both);
    }
  };
  const workers = Array.from({ length: fetchesAtOnce }, () =>
    worker().catch((error: unknown) => {
      failed.abort(error);
    }),
  );
  await Promise.all(workers);
  signal.throwIfAborted();
  failed.signal.throwIfAborted();
}
