/** A receiver on a database of its own, and how to send to it. */

import { request as overHttp, type IncomingHttpHeaders, type RequestOptions } from 'node:http';
import { request as overHttps } from 'node:https';
import { connect } from 'node:net';
import { gunzipSync } from 'node:zlib';

import { pino } from 'pino';

import { parseConfig } from '../../config/load.js';
import type { SentSource } from '../../config/schema.js';
import { startReceiver, type Receiver } from '../../receiver/server.js';
import type { ReceiverTimes } from '../../receiver/times.js';
import { vendors } from '../../vendors/registry.js';
import { prepareSource } from '../../warehouse/prepare-source.js';
import { testDatabase, type TestDatabase } from '../support/postgres.js';

export const password = 'correct-horse';
export const token = 'dG9rZW4.of-the_vendor~1+/==';
export const basic = { authorization: `Basic ${Buffer.from(`dynatrace:${password}`).toString('base64')}` };
export const bearer = { authorization: `Bearer ${token}` };

export interface TestReceiver extends Receiver {
  readonly database: TestDatabase;
  readonly source: SentSource;
  /** What the workflow was told. */
  readonly nudges: { readonly source: string; readonly bytes: number }[];
  readonly log: Record<string, unknown>[];
  /** To the source's own path, with its credentials, unless told otherwise. */
  send(sending?: Sending): Promise<Received>;
  rows(): Promise<InboxRow[]>;
}

export interface Sending {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string | Iterable<Buffer | string>;
  readonly tls?: RequestOptions & { readonly ca?: Buffer; readonly ALPNProtocols?: string[] };
}

export interface Received {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface InboxRow {
  readonly source: string;
  readonly form: string;
  readonly body: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly documents: number;
  readonly level: number;
}

export interface TestReceiverOptions {
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Of the source, over the test's own. */
  readonly source?: Readonly<Record<string, unknown>>;
  /** Sources besides it. */
  readonly others?: readonly SentSource[];
  readonly times?: Partial<ReceiverTimes>;
  /** One that is dropped by whoever gives it. */
  readonly database?: TestDatabase;
  /** Of the source; one that no other has by default. */
  readonly name?: string;
  readonly nudge?: (source: string, bytes: number) => Promise<void>;
}

let receivers = 0;

export function sendingSource(
  name: string,
  settings: Readonly<Record<string, unknown>> = {},
  source: Readonly<Record<string, unknown>> = {},
) {
  const config = parseConfig({
    name: 'test.yaml',
    path: 'test.yaml',
    env: {},
    text: JSON.stringify({
      sources: {
        [name]: {
          vendor: 'dynatrace',
          schema: name.replaceAll('-', '_'),
          auth: { basic: { username: 'dynatrace', password }, bearer: token },
          ...source,
        },
      },
      receiver: { port: 0, ...settings },
    }),
  });
  const [made] = config.sources;
  if (made?.vendor !== 'dynatrace') throw new Error('no source of Dynatrace');
  return { source: made, settings: config.receiver };
}

export async function openReceiver(options: TestReceiverOptions = {}): Promise<TestReceiver> {
  const { source, settings } = sendingSource(
    options.name ?? `sessions-${++receivers}`,
    options.settings,
    options.source,
  );
  const others = options.others ?? [];
  const database = options.database ?? (await testDatabase());
  for (const one of [source, ...others]) {
    await prepareSource(database.pool, one, vendors.dynatrace.scripts);
  }
  const nudges: { source: string; bytes: number }[] = [];
  const log: Record<string, unknown>[] = [];
  const receiver = await startReceiver({
    ...{ settings, sources: [source, ...others], postgresUrl: database.url, times: options.times ?? {} },
    nudge:
      options.nudge ??
      ((name, bytes) => {
        nudges.push({ source: name, bytes });
        return Promise.resolve();
      }),
    log: pino({ level: 'debug' }, { write: (line: string) => void log.push(JSON.parse(line) as never) }),
  });
  const path = `/dynatrace/${source.name}`;
  return {
    ...{ ...receiver, database, source, nudges, log },
    send: (sending = {}) =>
      send(receiver.url, { path, ...sending, headers: { ...basic, ...sending.headers } }),
    rows: () => inboxRows(database, source.name),
    close: async () => {
      await receiver.close();
      if (options.database === undefined) await database.drop();
    },
  };
}

async function inboxRows({ pool }: TestDatabase, source: string): Promise<InboxRow[]> {
  const { rows } = await pool.query<
    Omit<InboxRow, 'body' | 'sha256' | 'bytes'> & { body: Buffer; sha256: Buffer; bytes: string }
  >('select source, form, body, bytes, sha256, documents from landfall.inbox where source = $1 order by id', [
    source,
  ]);
  return rows.map(({ body, sha256, bytes, ...row }) => ({
    ...row,
    body: gunzipSync(body).toString(),
    bytes: Number(bytes),
    sha256: sha256.toString('hex'),
    // Of gzip's header: 4 says that the quickest algorithm was used.
    level: body.readUInt8(8),
  }));
}

/** One request on a connection of its own. A body that is no whole is sent in chunks. */
export function send(
  url: string,
  { method = 'PUT', path = '/', headers = {}, body, tls }: Sending,
): Promise<Received> {
  const whole = typeof body === 'string' || Buffer.isBuffer(body) || body === undefined;
  const length: Record<string, string> = whole
    ? { 'content-length': String(Buffer.byteLength(body ?? '')) }
    : {};
  return new Promise((resolve, reject) => {
    const ask = url.startsWith('https:') ? overHttps : overHttp;
    const sent = ask(`${url}${path}`, { method, headers: { ...length, ...headers }, agent: false, ...tls });
    sent.once('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.once('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
      );
      response.once('error', reject);
    });
    sent.once('error', reject);
    if (!whole) for (const part of body) sent.write(part);
    sent.end(whole ? body : undefined);
  });
}

/** Bytes on a bare connection, and everything that comes back until it is closed, or `enough` says so. */
export function exchange(
  port: number,
  bytes: Buffer | string,
  enough: (heard: string) => boolean = () => false,
): Promise<string> {
  return new Promise((resolve, reject) => {
    let heard = '';
    const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true }, () => socket.write(bytes));
    socket.setEncoding('latin1').on('data', (part: string) => {
      heard += part;
      if (enough(heard)) socket.destroy();
    });
    socket.once('end', () => socket.end());
    socket.once('close', () => resolve(heard));
    socket.once('error', (error) => (heard === '' ? reject(error) : resolve(heard)));
  });
}
