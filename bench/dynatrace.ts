/** What Dynatrace sends: how long a 200 takes, beside the INSERT alone, and how fast the inbox is brought into the tables. */

import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

import { writeTable } from '../client/table.js';
import { inboxStart } from '../config/inbox-start.js';
import { isSent, type SentSource, type SourceConfig } from '../config/schema.js';
import { arrivedSignal, inboxId } from '../model/inbox.js';
import { bulkLines, type NextLines } from '../sandbox/dynatrace/bulk.js';
import { countDocuments } from '../vendors/dynatrace/bulk.js';
import { storedTables } from '../vendors/dynatrace/tables.js';
import { insertBody, type InboxBody } from '../warehouse/insert-body.js';
import { prepareCeiling, type Ceiling } from './ceiling.js';
import type { Place } from './place.js';
import { peakMemory } from './processes.js';

/** Milliseconds. */
interface Latency {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export interface RequestTimes {
  readonly seconds: number;
  readonly requests: number;
  /** Of the bodies that were answered with 200. */
  readonly bytes: number;
  /** Answers other than 200, and requests that had none. */
  readonly refused: number;
  readonly ours: Latency;
  readonly ceiling: Latency;
  readonly memory: number | undefined;
}

const from = Date.parse('2026-03-01T00:00:00Z');
const perSecond = 20;
/** The vendor sends so many at once, if they have no more than 896,000 bytes together. */
const sessionsPerBody = 1_000;
const largest = 890;
/** Bodies that are sent in turn: they are held for each connection. */
const bodiesInTurn = 10;
/** As many may be under way; one that is due then waits. */
const mostAtOnce = 100;

/** 20 bodies of 1,000 sessions a second to `landfall receiver`, then the same INSERTs at the same pace. No worker runs. */
export async function measureRequests(place: Place, seconds: number): Promise<RequestTimes> {
  const source = rumOf(place);
  const next = bulkLines({ from, largest });
  const bodies = Array.from({ length: bodiesInTurn }, () => Buffer.from(next(sessionsPerBody).join('\n')));
  const receiver = await place.startReceiver();
  const agent = new Agent({ keepAlive: true });
  const url = `${receiver.url}/dynatrace/${source.name}`;
  let bytes = 0;
  let refused = 0;
  const ours = await pace(seconds, async (number) => {
    const body = bodies[number % bodies.length]!;
    const status = await send(agent, url, place.receiverToken, body).catch(() => undefined);
    if (status === 200) bytes += body.length;
    else refused += 1;
  });
  agent.destroy();
  const memory = await peakMemory(receiver.pid);
  await receiver.stop();
  const packed = await Promise.all(bodies.map((body) => packBody(source, body)));
  const ceiling = await pace(seconds, async (number) => {
    await insertBody(place.pool, packed[number % packed.length]!);
  });
  await place.pool.query('truncate landfall.inbox');
  return { seconds, requests: seconds * perSecond - refused, bytes, refused, ours, ceiling, memory };
}

/**
 * Begins each when it is due, evenly, whether those before it have ended or not. Generators that keep a number of connections
 * busy do not: autocannon 9.0.0 sends what is due in a second at its beginning, so that p99 was that of bursts.
 */
async function pace(seconds: number, work: (number: number) => Promise<void>): Promise<Latency> {
  const start = performance.now();
  const under = new Set<Promise<void>>();
  const times: number[] = [];
  for (let number = 0; number < seconds * perSecond; number += 1) {
    await setTimeout(Math.max(0, start + (number * 1_000) / perSecond - performance.now()));
    if (under.size >= mostAtOnce) await Promise.race(under);
    const begun = performance.now();
    const one = work(number).then(() => {
      times.push(performance.now() - begun);
      under.delete(one);
    });
    under.add(one);
  }
  await Promise.all(under);
  times.sort((one, other) => one - other);
  const at = (share: number): number => times[Math.ceil(times.length * share) - 1] ?? 0;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

/** The status that it is answered with. */
function send(agent: Agent, url: string, token: string, body: Buffer): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}`, 'content-length': body.length };
    const sent = request(url, { method: 'PUT', agent, headers, timeout: 30_000 }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode));
    });
    sent.once('timeout', () => sent.destroy(new Error('no answer within 30 seconds')));
    sent.once('error', reject);
    sent.end(body);
  });
}

async function packBody(source: SourceConfig, body: Buffer): Promise<InboxBody> {
  return {
    ...{ source: source.name, form: 'documents', bytes: body.length, documents: countDocuments(body) },
    gzip: await promisify(gzip)(body, { level: 1 }),
    sha256: createHash('sha256').update(body).digest(),
  };
}

export interface InboxTimes {
  readonly sessions: number;
  /** Over all tables. */
  readonly rows: number;
  /** Of the bodies, without compression. */
  readonly bytes: number;
  /** Of the ceiling's text files. */
  readonly text: number;
  /** Seconds from the signal to the last delivery that is final, of each run. */
  readonly ours: readonly number[];
  readonly ceiling: readonly number[];
  readonly memory: number | undefined;
}

/** Sessions in a body of the usual size, 0.8 MB. */
const usualPerBody = 200;

/** From the inbox into empty tables, beside COPY of the same rows; each run has sessions of its own. */
export async function measureInbox(place: Place, sessions: number, runs: number): Promise<InboxTimes> {
  const source = rumOf(place);
  const names = storedTables.map(({ name }) => `${source.schema}.${name}`);
  const next = bulkLines({ from });
  const worker = place.startWorker();
  const times: { ours: number[]; ceiling: number[] } = { ours: [], ceiling: [] };
  let ceilings: readonly Ceiling[] = [];
  let [rows, bytes] = [0, 0];
  // The first load warms both sides up, and gives the ceiling its rows.
  for (let run = 0; run <= runs; run += 1) {
    await place.pool.query(`truncate ${names.join(', ')}`);
    await place.pool.query('truncate landfall.inbox');
    bytes = await fillInbox(place, source, next, sessions);
    const seconds = await emptyInbox(place, source, bytes);
    if (run === 0) {
      rows = await countRows(place, names);
      ceilings = await prepareCeilings(place, source);
      continue;
    }
    times.ours.push(seconds);
    let all = 0;
    for (const ceiling of ceilings) all += await ceiling.run();
    times.ceiling.push(all);
  }
  await place.client.workflow.getHandle(inboxId(source.name)).terminate('It is measured.');
  const memory = await peakMemory(worker.pid);
  await worker.stop();
  for (const { name } of storedTables) await rm(join(place.folder, `${name}.txt`));
  const text = ceilings.reduce((sum, ceiling) => sum + ceiling.bytes, 0);
  return { ...times, sessions, rows, bytes, text, memory };
}

/** Gives the bytes of the bodies. */
async function fillInbox(
  place: Place,
  source: SourceConfig,
  next: NextLines,
  sessions: number,
): Promise<number> {
  let bytes = 0;
  for (let left = sessions; left > 0; left -= usualPerBody) {
    const body = await packBody(source, Buffer.from(next(Math.min(left, usualPerBody)).join('\n')));
    await insertBody(place.pool, body);
    bytes += body.bytes;
  }
  return bytes;
}

/** Seconds from the signal until nothing waits and every delivery is final. */
async function emptyInbox(place: Place, source: SentSource, bytes: number): Promise<number> {
  const { workflowType, workflowId, input } = inboxStart(source);
  await place.pool.query('checkpoint');
  const start = performance.now();
  await place.client.workflow.signalWithStart(workflowType, {
    ...{ workflowId, taskQueue: place.taskQueue, args: [input] },
    ...{ signal: arrivedSignal, signalArgs: [{ bytes }], workflowIdConflictPolicy: 'USE_EXISTING' },
  });
  for (;;) {
    const { rows } = await place.pool.query<{ left: number; failed: number }>(
      `select count(*) filter (where d.finality is distinct from 'final')::int as left,
              count(*) filter (where d.finality = 'failed')::int as failed
       from landfall.inbox i
       left join landfall.delivery d on d.id = i.delivery_id
       where i.source = $1`,
      [source.name],
    );
    const { left = 0, failed = 0 } = rows[0] ?? {};
    if (failed > 0) throw new Error(`Deliveries of ${source.name} with ${failed} bodies have failed.`);
    if (left === 0) return (performance.now() - start) / 1_000;
    await setTimeout(100);
  }
}

async function countRows(place: Place, names: readonly string[]): Promise<number> {
  const counts = await Promise.all(
    names.map((name) => place.pool.query<{ rows: number }>(`select count(*)::int as rows from ${name}`)),
  );
  return counts.reduce((sum, { rows: [found] }) => sum + (found?.rows ?? 0), 0);
}

async function prepareCeilings(place: Place, source: SourceConfig): Promise<Ceiling[]> {
  const ceilings: Ceiling[] = [];
  for (const { name, key } of storedTables) {
    const file = join(place.folder, `${name}.txt`);
    ceilings.push(await prepareCeiling(place.pool, `${source.schema}.${name}`, key.join(', '), file));
  }
  return ceilings;
}

function rumOf(place: Place): SentSource {
  const source = place.source('dynatrace');
  if (!isSent(source)) throw new Error(`${source.vendor} sends nothing`);
  return source;
}

/** How long an answer takes, which no other vendor's measurement has. */
export function printRequests(times: RequestTimes): void {
  const { seconds, requests, bytes, refused, ours, ceiling, memory } = times;
  const ratio = { p50: ours.p50 / ceiling.p50, p99: ours.p99 / ceiling.p99, max: ours.max / ceiling.max };
  const lines = [
    {
      what: `dynatrace, ${requests} bodies of 1,000 sessions, ${perSecond} a second, to their 200`,
      of: ours,
    },
    { what: 'the same INSERT alone, of compressed bodies', of: ceiling },
    { what: 'ratio', of: ratio },
  ];
  const table = writeTable(lines, [
    { title: 'MILLISECONDS', cell: ({ what }) => what },
    { title: 'P50', cell: ({ of }) => of.p50.toFixed(1) },
    { title: 'P99', cell: ({ of }) => of.p99.toFixed(1) },
    { title: 'MAX', cell: ({ of }) => of.max.toFixed(1) },
  ]);
  const peak = memory === undefined ? 'unknown' : `${Math.round(memory / 1_000_000)} MB`;
  console.log(
    `\n${table}\n\n${(bytes / 1_000_000 / seconds).toFixed(1)} MB/s, ${refused} not answered with 200; the receiver's ` +
      `peak memory: ${peak}`,
  );
}
