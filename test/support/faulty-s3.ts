import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { atTheEnd } from './shared.js';
import { testS3, type S3Access } from './s3.js';

/** A request as the proxy saw it. */
export interface SeenRequest {
  readonly method: string;
  readonly bucket: string;
  /** Decoded; empty for requests that concern the bucket, such as listings. */
  readonly key: string;
  readonly query: URLSearchParams;
  readonly headers: NodeJS.Dict<string | string[]>;
}

export type RequestMatcher = (request: SeenRequest) => boolean;

/** What goes wrong with a request. */
export type Fault =
  /** An error answer of S3; the request never reaches the server. */
  | { readonly kind: 'refuse'; readonly status: number; readonly code: string }
  /** The request is passed on once this settles: a test can hold it as long as it likes. */
  | { readonly kind: 'hold'; readonly until: () => Promise<unknown> }
  /** The connection is cut after this many bytes of the answer's body. */
  | { readonly kind: 'cut'; readonly afterBytes: number }
  /** The answer's body stops after this many bytes, and the connection stays open. */
  | { readonly kind: 'stall'; readonly afterBytes: number }
  /** The answer's body comes in pieces of this many bytes, with a pause of this many milliseconds before each. */
  | { readonly kind: 'trickle'; readonly bytes: number; readonly pauseMs: number }
  /** The first byte of the answer's body is another one than the checksum that is sent with it was made of. */
  | { readonly kind: 'damage'; readonly crc32: string }
  /** The answer is 200 with another body than the server's. */
  | { readonly kind: 'rewrite'; readonly body: (body: string) => string }
  /** Something happens to the store right before the request reaches it. */
  | { readonly kind: 'before'; readonly act: (request: SeenRequest) => Promise<unknown> };

export const slowDown: Fault = { kind: 'refuse', status: 503, code: 'SlowDown' };
export const accessDenied: Fault = { kind: 'refuse', status: 403, code: 'AccessDenied' };

/** A GET of one object, the first part of which may be left out: `getOf('2026/11/20/part-1.json')`. */
export const getOf =
  (keyEnding: string): RequestMatcher =>
  ({ method, key }) =>
    method === 'GET' && key !== '' && key.endsWith(keyEnding);

export const listing: RequestMatcher = ({ method, key }) => method === 'GET' && key === '';

export interface FaultyS3 extends S3Access {
  /** The next `times` requests that match suffer the fault. Earlier rules win. */
  readonly fail: (matches: RequestMatcher, fault: Fault, times?: number) => void;
  /** Forgets all rules that were not used up. */
  readonly heal: () => void;
  /** Every request so far, refused ones included. */
  readonly requests: readonly SeenRequest[];
  readonly count: (matches: RequestMatcher) => number;
  readonly stop: () => Promise<void>;
}

interface Rule {
  readonly matches: RequestMatcher;
  readonly fault: Fault;
  left: number;
}

/**
 * A proxy on 127.0.0.1 in front of an S3 server (the run's s3rver unless given another) that fails as it is
 * told. Signatures stay valid, since the Host header is passed on as the client signed it.
 */
export async function faultyS3(behind?: S3Access): Promise<FaultyS3> {
  const server = behind ?? (await testS3());
  const rules: Rule[] = [];
  const requests: SeenRequest[] = [];

  const proxy = createServer((incoming, outgoing) => {
    const seen = seenRequest(incoming);
    requests.push(seen);
    const rule = rules.find(({ matches, left }) => left > 0 && matches(seen));
    if (rule !== undefined) rule.left--;
    handle(incoming, outgoing, seen, rule?.fault, server.endpoint).catch(() => {
      outgoing.destroy();
    });
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const { port } = proxy.address() as AddressInfo;

  const stop = async (): Promise<void> => {
    if (!proxy.listening) return;
    const closed = new Promise((resolve) => proxy.close(resolve));
    proxy.closeAllConnections();
    await closed;
  };
  atTheEnd(stop);
  return {
    endpoint: `http://127.0.0.1:${port}`,
    accessKeyId: server.accessKeyId,
    secretAccessKey: server.secretAccessKey,
    fail: (matches, fault, times = 1) => {
      rules.push({ matches, fault, left: times });
    },
    heal: () => {
      rules.length = 0;
    },
    requests,
    count: (matches) => requests.filter(matches).length,
    stop,
  };
}

function seenRequest(incoming: IncomingMessage): SeenRequest {
  const { pathname, searchParams } = new URL(incoming.url ?? '/', 'http://127.0.0.1');
  const [, bucket = '', ...key] = pathname.split('/');
  return {
    method: incoming.method ?? '',
    bucket: decodeURIComponent(bucket),
    key: decodeURIComponent(key.join('/')),
    query: searchParams,
    headers: incoming.headers,
  };
}

async function handle(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  seen: SeenRequest,
  fault: Fault | undefined,
  endpoint: string,
): Promise<void> {
  if (fault?.kind === 'refuse') {
    refuse(incoming, outgoing, seen, fault.status, fault.code);
    return;
  }
  if (fault?.kind === 'hold') await fault.until();
  if (fault?.kind === 'before') await fault.act(seen);
  if (outgoing.destroyed) return;
  await passOn(incoming, outgoing, endpoint, fault);
}

function refuse(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  seen: SeenRequest,
  status: number,
  code: string,
): void {
  incoming.resume();
  const body =
    '<?xml version="1.0" encoding="UTF-8"?>\n' +
    `<Error><Code>${code}</Code><Message>Refused by the test.</Message>` +
    `<Resource>/${seen.bucket}/${seen.key}</Resource><RequestId>test</RequestId></Error>`;
  outgoing.writeHead(status, {
    'content-type': 'application/xml',
    'content-length': Buffer.byteLength(body),
  });
  outgoing.end(seen.method === 'HEAD' ? undefined : body);
}

async function passOn(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  endpoint: string,
  fault: Fault | undefined,
): Promise<void> {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const onward = request(new URL(incoming.url ?? '/', endpoint), {
      method: incoming.method,
      headers: incoming.headers,
    });
    onward.once('response', resolve);
    onward.once('error', reject);
    incoming.pipe(onward);
    outgoing.once('close', () => onward.destroy());
  });
  if (fault?.kind === 'rewrite') {
    const body = fault.body(await readText(answer));
    outgoing.writeHead(200, { 'content-type': 'application/xml', 'content-length': Buffer.byteLength(body) });
    outgoing.end(body);
    return;
  }
  const checksum = fault?.kind === 'damage' ? { 'x-amz-checksum-crc32': fault.crc32 } : {};
  outgoing.writeHead(answer.statusCode ?? 502, { ...answer.headers, ...checksum });
  outgoing.flushHeaders();
  const ends = fault?.kind === 'cut' || fault?.kind === 'stall';
  let left = ends ? fault.afterBytes : Infinity;
  let damage = fault?.kind === 'damage';
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    const part = chunk.subarray(0, Math.min(left, chunk.length));
    left -= part.length;
    if (damage && part.length > 0) part.writeUInt8(part.readUInt8(0) ^ 1, 0);
    damage &&= part.length === 0;
    if (fault?.kind === 'trickle') await trickle(outgoing, part, fault);
    else await write(outgoing, part);
    if (left > 0) continue;
    if (fault?.kind === 'cut') outgoing.destroy();
    return;
  }
  outgoing.end();
}

async function readText(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

async function trickle(
  outgoing: ServerResponse,
  body: Buffer,
  { bytes, pauseMs }: { bytes: number; pauseMs: number },
): Promise<void> {
  for (let from = 0; from < body.length && !outgoing.destroyed; from += bytes) {
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    await write(outgoing, body.subarray(from, from + bytes));
  }
}

/** Settles also where the client has gone. */
async function write(outgoing: ServerResponse, bytes: Buffer): Promise<void> {
  await new Promise<void>((resolve) => outgoing.write(bytes, () => resolve()));
}
