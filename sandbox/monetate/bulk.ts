/** Writes a day of many files, for measurements. */

import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { z } from 'zod';

import { startOfDay } from '../../model/day.js';
import { dayFolder } from '../../vendors/monetate/layout.js';
import { drawsOf } from '../leanplum/draws.js';
import { fileOf } from './day.js';
import { gzipLines, putFile, quarter, storeRoot } from './files.js';
import { addCounts, byTable, countOf, type RowCounts } from './rows.js';
import { sessionLine, type Session } from './session.js';
import { sessionOf } from './sessions.js';
import { idleFor, minutesOf, type Visit } from './visits.js';

export interface BulkDayToWrite {
  /** What the SFTP server serves. */
  readonly directory: string;
  readonly date: string;
  readonly files: number;
  readonly sessionsPerFile: number;
  /** File that remembers what was written: the same day is not written again into the same folder. */
  readonly memory?: string;
}

const bulkDay = z.object({
  directory: z.string(),
  date: z.string(),
  files: z.number(),
  sessions: z.number(),
  /** Of the files. */
  bytes: z.number(),
  /** Of their lines, with the line feeds. */
  lineBytes: z.number(),
  rows: z.record(z.string(), z.number()).transform((rows) => byTable((name) => rows[name] ?? 0)),
  /** What all sessions are worth together. */
  cents: z.number(),
});
export type BulkDay = Readonly<z.output<typeof bulkDay>>;

const quarters = 96;

/**
 * Files of `sessionsPerFile` sessions, spread over the day; all of them ended on it, most of them after some minutes, and
 * every 5,000th is a bot's. What lies in the day's folder before is removed. 2,000 files of 500 sessions take 70 s and the memory of a few files.
 */
export async function writeBulkDay(day: BulkDayToWrite): Promise<BulkDay> {
  const { directory, date, files, sessionsPerFile, memory } = day;
  const earlier = memory === undefined ? undefined : await recall(memory, day);
  if (earlier !== undefined) return earlier;
  await rm(join(directory, storeRoot, dayFolder(date)), { recursive: true, force: true });
  let written = {
    ...{ directory, date, files, sessions: files * sessionsPerFile, bytes: 0, lineBytes: 0, cents: 0 },
    rows: byTable(() => 0) as RowCounts,
  };
  /** One file is compressed while the next is made. */
  let before = Promise.resolve();
  for (let number = 0; number < files; number += 1) {
    const interval = startOfDay(date) + Math.floor((number * quarters) / files) * quarter;
    const sessions = sessionsOf(day, number, interval);
    const { key, at } = fileOf(interval, number % Math.ceil(files / quarters), 240_000, []);
    const lines = sessions.map(sessionLine);
    written = {
      ...written,
      rows: sessions.map(countOf).reduce(addCounts, written.rows),
      lineBytes: written.lineBytes + lines.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0),
      cents: sessions.reduce((sum, session) => sum + Math.round(session.session_value * 100), written.cents),
    };
    await before;
    before = gzipLines(lines, 1).then(async (bytes) => {
      written = { ...written, bytes: written.bytes + bytes.length };
      await putFile(join(directory, storeRoot, key), bytes, at);
    });
  }
  await before;
  if (memory !== undefined) await keep(memory, written);
  return written;
}

/** A visitor comes three times, eight hours apart. */
function sessionsOf(
  { date, files, sessionsPerFile }: BulkDayToWrite,
  file: number,
  interval: number,
): readonly Session[] {
  const visitors = Math.ceil((files * sessionsPerFile) / 3);
  return Array.from({ length: sessionsPerFile }, (_, index) => {
    const number = file * sessionsPerFile + index;
    const draws = drawsOf(`bulk ${date} visit ${number}`);
    const stay = number % 5_000 === 250 ? { active: 3_600_000, views: 2_600 } : minutesOf(draws);
    const end = interval + draws.below(quarter);
    const visit: Visit = {
      ...{ number, visitor: number % visitors, ...stay },
      start: end - idleFor - stay.active,
    };
    return sessionOf(visit, { date, seed: 'bulk' });
  });
}

async function recall(memory: string, day: BulkDayToWrite): Promise<BulkDay | undefined> {
  const text = await readFile(memory, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const written = bulkDay.parse(JSON.parse(text));
  const isSame =
    written.directory === day.directory &&
    written.date === day.date &&
    written.files === day.files &&
    written.sessions === day.files * day.sessionsPerFile;
  return isSame ? written : undefined;
}

/** Exchanged as a whole: what was broken off is written again. */
async function keep(memory: string, written: BulkDay): Promise<void> {
  await writeFile(`${memory}.new`, JSON.stringify(written));
  await rename(`${memory}.new`, memory);
}
