/** Writes planned files, one after the other, each when it is due. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

import type { DuckDBConnection } from '@duckdb/node-api';

import { withDuckDB } from '../duckdb.js';
import { writeImpressionsDayWith, writeMetricsDayWith } from './day.js';
import type { FileType, PlannedWrite } from './schedule.js';

/** The only source of real time. */
export interface Clock {
  /** Milliseconds since any instant. */
  readonly now: () => number;
  /** May reject when the signal is aborted, and must not before that. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

export const realClock: Clock = {
  now: () => performance.now(),
  sleep: (ms, signal) => setTimeout(ms, undefined, { signal }),
};

/** Puts the file under its key. May be broken off by the signal. */
export type Put = (key: string, path: string, signal: AbortSignal) => Promise<void>;

export interface WrittenFile {
  readonly key: string;
  readonly type: FileType;
  readonly date: string;
  readonly version: number;
  /** Lines that hold something. */
  readonly rows: number;
  /** Of the file. */
  readonly bytes: number;
}

export interface DueWrite extends Pick<PlannedWrite, 'key' | 'type' | 'version' | 'day'> {
  /** By the clock. What is overdue is written at once. */
  readonly due: number;
}

export interface Writing {
  readonly put: Put;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onWritten: (file: WrittenFile) => void | Promise<void>;
}

/** Returns when everything is written, or soon after the signal. Throws what `put` and `onWritten` throw. */
export async function writeWhenDue(writes: readonly DueWrite[], writing: Writing): Promise<void> {
  const { put, clock, signal, onWritten } = writing;
  if (writes.length === 0) return;
  const folder = await mkdtemp(join(tmpdir(), 'landfall-megaphone-'));
  try {
    await withDuckDB('256MB', async (connection) => {
      const interrupt = (): void => connection.interrupt();
      signal.addEventListener('abort', interrupt);
      try {
        for (const write of writes) {
          const wait = write.due - clock.now();
          if (wait > 0) await clock.sleep(wait, signal);
          if (signal.aborted) return;
          const path = join(folder, write.key);
          const file = await writeFile(connection, path, write);
          if (signal.aborted) return;
          await put(write.key, path, signal);
          await rm(path);
          await onWritten(file);
        }
      } finally {
        signal.removeEventListener('abort', interrupt);
      }
    });
  } catch (error) {
    // Sleeping, writing and putting end with an error of their own when they are interrupted.
    if (!signal.aborted) throw error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function writeFile(
  connection: DuckDBConnection,
  path: string,
  { key, type, version, day }: DueWrite,
): Promise<WrittenFile> {
  const request = { ...day, path, version };
  const { date, rows, bytes } =
    type === 'metrics'
      ? await writeMetricsDayWith(connection, { ...request, flaws: day.flawsOf?.(version) ?? {} })
      : await writeImpressionsDayWith(connection, request);
  return { key, type, date, version, rows, bytes };
}
