/** Writes jobs of many sessions, for measurements: by DuckDB, at 85 MB a second where sessions.ts makes 17. */

import { mkdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { startOfDay } from '../../model/day.js';
import { drawsOf } from './draws.js';
import { withDuckDB } from '../duckdb.js';
import { fileKey } from './job.js';
import { manifestText, type ListedShard } from './manifest.js';
import type { RowCounts } from './rows.js';
import { choose, jsonLine, plainString } from '../megaphone/rows.js';
import { quote } from '../quote.js';

export interface BulkJobToWrite {
  /** The store's root. */
  readonly directory: string;
  readonly uuid: string;
  /** The Pacific day of the folder, `YYYY-MM-DD`: sessions began in the 24 hours before it. */
  readonly date: string;
  readonly sessions: number;
  /** Number of the first session; the same number is the same session in every job. Default 0. */
  readonly from?: number;
  /** Default 50,000: 166 MB; the vendor's have some 256 MB. */
  readonly sessionsPerShard?: number;
  /** Default false. */
  readonly gzip?: boolean;
}

export interface BulkJob {
  readonly uuid: string;
  readonly date: string;
  /** Relative to the store's root, shards first, the manifest last. */
  readonly keys: readonly string[];
  /** Of the shards. */
  readonly bytes: number;
  readonly rows: RowCounts;
}

const states = 5;
const eventsOfState = 4;

/**
 * Each session has 5 states, 20 events, 5 of them with a parameter, an experiment and two user attributes. Times are texts
 * in E notation, and ids have 64 bits. 200,000 sessions, 663 MB, take 8 s, or 33 s and 70 MB with gzip; 298 MB of memory,
 * and 291 MB for three times as many.
 */
export async function writeBulkJob(job: BulkJobToWrite): Promise<BulkJob> {
  const { directory, uuid, date, sessions, from = 0, sessionsPerShard = 50_000, gzip = false } = job;
  const shards: ListedShard[] = [];
  const until = startOfDay(date) + 8 * 3_600_000;
  await withDuckDB('256MB', async (connection) => {
    for (let first = 0; first < sessions; first += sessionsPerShard) {
      const key = fileKey(job, `-${shards.length}`);
      const path = join(directory, key);
      await mkdir(dirname(path), { recursive: true });
      const last = Math.min(sessions, first + sessionsPerShard);
      const source = sessionNumbers(from + first, from + last, until);
      // Bytes as they are, which is the fastest of the formats.
      await connection.run(
        `COPY (SELECT encode(${jsonLine(fields, columns)} || chr(10)) FROM (${source}))
         TO ${quote(path)} (FORMAT blob, COMPRESSION ${gzip ? 'gzip' : 'uncompressed'})`,
      );
      shards.push({ key, bytes: { length: (await stat(path)).size } });
    }
  });
  const manifest = fileKey(job, '-manifest');
  await mkdir(dirname(join(directory, manifest)), { recursive: true });
  await writeFile(join(directory, manifest), manifestText(shards, 'names'));
  return {
    ...{ uuid, date },
    keys: [...shards.map(({ key }) => key), manifest],
    bytes: shards.reduce((sum, { bytes }) => sum + bytes.length, 0),
    rows: {
      session: sessions,
      state: sessions * states,
      event: sessions * states * eventsOfState,
      event_parameter: sessions * states,
      state_parameter: 0,
      experiment: sessions,
      user_attribute: sessions * 2,
    },
  };
}

/** Of each session its number `i`, its random bits `h` and its start `t`, in epoch milliseconds. */
function sessionNumbers(first: number, last: number, until: number): string {
  return `
    SELECT i, h, ${until - 86_400_000} + (h >> 8) % 86000000 AS t
    FROM (SELECT i, (hash(i + 1) >> 1)::BIGINT AS h FROM range(${first}, ${last}) AS numbers(i))`;
}

/** An instant of epoch milliseconds, as real lines have it. */
function instant(ms: string): string {
  const digits = `(${ms})::VARCHAR`;
  return `concat('"', left(${digits}, 1), '.', rtrim(substr(${digits}, 2), '0'), 'E9"')`;
}

/** JSON text of a double, in eighths, from some bits of `h`. */
const eighths = (shift: number): string => `(((h >> ${shift}) & 1023) / 8.0)::VARCHAR`;

/** One of these texts, as it is, by some bits of `h`. */
function oneOf(shift: number, texts: readonly string[]): string {
  return `[${texts.map(quote).join(', ')}][1 + ((h >> ${shift}) % ${texts.length})::INTEGER]`;
}

const eventNames = ['Opened shelf', 'Added to basket', 'Searched', 'Shared', 'Scrolled', 'Büchse geöffnet'];
const knownEvents = [...eventNames, 'Purchase', '.m6678706135760896 View'].map(
  (name) => `{"eventId":${drawsOf(`event ${name}`).id()},"name":${JSON.stringify(name)},"time":`,
);

function eventText(number: number): string {
  const parameter = `,"parameters":{"Item":"`;
  const end =
    number % eventsOfState === eventsOfState - 1
      ? `${quote(parameter)}, 'article ', (h >> ${number}) % 5000, '"}}'`
      : `'}'`;
  const start = oneOf(number + 3, knownEvents);
  return `${start}, ${instant(`t + ${number * 2_000} + ((h >> ${number}) & 1023)`)}, ',"value":', ${eighths(number + 11)}, ${end}`;
}

function stateText(number: number): string {
  const name = `Page ${number}`;
  const start = `{"stateId":${drawsOf(`state ${name}`).id()},"name":"${name}","time":`;
  const events = Array.from({ length: eventsOfState }, (_, index) =>
    eventText(number * eventsOfState + index),
  );
  return (
    `${quote(start)}, ${instant(`t + ${number * 8_000}`)}, ',"duration":', ${eighths(number)}, ',"events":[', ` +
    `${events.join(`, ',', `)}, ']}'`
  );
}

const statesText = `concat('[', ${Array.from({ length: states }, (_, number) => stateText(number)).join(`, ',', `)}, ']')`;

/** In the order of the vendor's page. */
const columns = {
  isSession: `'true'`,
  appVersion: choose(3, ['4.12.0', '4.11.3', '4.10.0']),
  country: choose(5, ['US', 'DE', 'JP', 'NO', undefined]),
  timezone: choose(5, ['America/Los_Angeles', 'Europe/Berlin', 'Asia/Tokyo', 'Europe/Oslo', 'Asia/Kolkata']),
  city: choose(5, ['San José', 'München', '東京', 'Tromsø', undefined]),
  locale: choose(5, ['en_US', 'de_DE', 'ja_JP', 'nb_NO', undefined]),
  deviceModel: choose(9, ['iPhone 15', 'Tab 10', 'Phone 4']),
  priorEvents: `((h >> 7) % 900)::VARCHAR`,
  priorStates: `((h >> 9) % 300)::VARCHAR`,
  priorSessions: `((h >> 11) % 40)::VARCHAR`,
  systemName: choose(9, ['iOS', 'Android', 'Android']),
  systemVersion: choose(9, ['26.1', '15', '16']),
  time: instant('t'),
  deviceId: plainString(`'device-' || (h >> 13) % 70000`),
  firstRun: instant('t - ((h >> 17) % 300) * 86400000'),
  userId: plainString(`'user-' || (h >> 13) % 70000`),
  client: choose(9, ['ios', 'android', 'android']),
  sdkVersion: choose(9, ['6.2.1', '7.5.0', '7.4.2']),
  // An odd factor gives every number another id of 63 bits.
  sessionId: plainString(
    `((i::HUGEINT * 6364136223846793005 + 1442695040888963407) % 9223372036854775808)::VARCHAR`,
  ),
  lat: plainString(`((h >> 19) % 180000000 - 90000000) / 1e6`),
  lon: plainString(`((h >> 21) % 360000000 - 180000000) / 1e6`),
  duration: `(40 + ((h >> 23) & 8191) / 8.0)::VARCHAR`,
  priorTimeSpentInApp: `(((h >> 25) & 16777215) / 8.0)::VARCHAR`,
  timezoneOffsetSeconds: choose(5, [-25_200, 7_200, 32_400, 7_200, 19_800]),
  userBucket: `((h >> 13) % 1000)::VARCHAR`,
  isDeveloper: `'false'`,
  experiments: oneOf(31, [
    '[{"id":800000001,"variantId":700000010}]',
    '[{"id":800000001,"variantId":700000011,"impressed":true}]',
    '[{"id":800000002,"variantId":700000020,"impressed":false}]',
  ]),
  states: statesText,
  userAttributes: oneOf(35, [
    '{"Newsletter Opt In":"True","Favourite colour":"bleu ciel"}',
    '{"Newsletter Opt In":"False","Favourite colour":"green"}',
  ]),
} as const satisfies Readonly<Record<string, string>>;

const fields = Object.keys(columns) as (keyof typeof columns)[];
