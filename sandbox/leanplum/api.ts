/** Leanplum's export API and the store of its results, as far as they are documented: a server on this machine. */

import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';

import { startOfDay } from '../../model/day.js';
import { pacificDay } from '../../vendors/leanplum/pacific.js';

export type ExportState = 'PENDING' | 'RUNNING' | 'FINISHED' | 'FAILED';

/** What somebody asked `exportData` for. */
export interface AskedExport {
  readonly jobId: string;
  /** `YYYYMMDD`, Pacific days. */
  readonly startDate: string;
  readonly endDate: string;
  readonly format: string;
  /** All fields of the form. */
  readonly fields: Readonly<Record<string, string>>;
}

/** What comes of an export. */
export interface ScriptedExport {
  /** What `getExportResults` says, call by call; the last one stays. Default: FINISHED. */
  readonly states?: readonly ExportState[];
  /** Names without a folder. */
  readonly files: readonly { readonly name: string; readonly bytes: Uint8Array }[];
  readonly sessions?: number;
  /** Files, by their names, that are not copied to S3. */
  readonly notCopied?: readonly string[];
}

export interface LeanplumApiOptions {
  readonly appId: string;
  readonly clientKey: string;
  /** Makes what is exported, of each export once; undefined: "No matching data found". */
  readonly make: (asked: AskedExport) => ScriptedExport | undefined | Promise<ScriptedExport | undefined>;
  /** Writes a copy to S3. Absent: nothing is copied, and copies are not spoken of. */
  readonly copy?: (key: string, bytes: Uint8Array) => Promise<unknown>;
  readonly exportsPerDay?: number;
  /** Default: any that is free. */
  readonly port?: number;
}

/** A request as the server saw it. */
export interface SeenCall {
  readonly method: string;
  /** `exportData`, `getExportResults`, or the name of a file. */
  readonly what: string;
  readonly url: string;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly fields: Readonly<Record<string, string>>;
}

export type ApiFault =
  /** Another answer; what was asked for is not done. */
  | { readonly kind: 'answer'; readonly status: number; readonly body: string }
  /** What was asked for is done, and the connection cut instead of an answer. */
  | { readonly kind: 'lose' }
  /** The connection is cut after this many bytes of the answer's body. */
  | { readonly kind: 'cut'; readonly afterBytes: number }
  /** Of a file: the server knows neither of these. */
  | { readonly kind: 'without'; readonly headers: readonly string[] };

export interface LeanplumApiServer {
  readonly url: string;
  readonly calls: readonly SeenCall[];
  readonly asked: readonly AskedExport[];
  /** The next `times` calls of that name suffer the fault. */
  readonly fail: (what: string, fault: ApiFault, times?: number) => void;
  /** "Export files are automatically deleted 24 hours after export occurs." */
  readonly expire: () => void;
  /** Writes a file anew. */
  readonly rewrite: (name: string, bytes: Uint8Array) => void;
  readonly stop: () => Promise<void>;
}

interface Job {
  readonly asked: AskedExport;
  readonly script: ScriptedExport;
  results: number;
  /** Its files are there, or were until they expired. */
  published: boolean;
  copied?: readonly CopiedFile[];
}

interface CopiedFile {
  readonly sourceFile: string;
  readonly destFile: string;
}

/** 60 days, "PDT/PST". */
const reach = 60 * 86_400_000;

export async function startLeanplumApi(options: LeanplumApiOptions): Promise<LeanplumApiServer> {
  const { appId, clientKey, make, copy, exportsPerDay = 24 } = options;
  const calls: SeenCall[] = [];
  const asked: AskedExport[] = [];
  const jobs = new Map<string, Job>();
  const files = new Map<string, Uint8Array>();
  const faults: { what: string; fault: ApiFault; times: number }[] = [];
  const modified = new Date().toUTCString();

  const takeFault = (what: string): ApiFault | undefined => {
    const found = faults.find((rule) => rule.what === what && rule.times > 0);
    if (found) found.times -= 1;
    return found?.fault;
  };

  const exportData = async (fields: Readonly<Record<string, string>>): Promise<Reply> => {
    const { startDate = '', endDate = startDate, exportFormat: format = 'json' } = fields;
    if (!/^\d{8}$/.test(startDate) || !/^\d{8}$/.test(endDate)) return refusal('Invalid date');
    const first = startOfDay(startDate.replace(/(....)(..)(..)/, '$1-$2-$3'));
    if (first < startOfDay(pacificDay(Date.now())) - reach) {
      return refusal('You cannot export data older than 60 days');
    }
    if (asked.length >= exportsPerDay)
      return refusal(`You may only export data ${exportsPerDay} times per day`);
    const jobId = `export_4727756026281984_${2904941266315269120n + BigInt(asked.length)}`;
    const request = { jobId, startDate, endDate, format, fields };
    const script = await make(request);
    if (!script) return refusal('No matching data found');
    asked.push(request);
    jobs.set(jobId, { asked: request, script, results: 0, published: false });
    return { jobId, success: true };
  };

  const getExportResults = async ({ jobId = '' }: Readonly<Record<string, string>>): Promise<Reply> => {
    const job = jobs.get(jobId);
    if (!job) return refusal('Job not found');
    const { states = ['FINISHED'], sessions } = job.script;
    const state = states[Math.min(job.results++, states.length - 1)] ?? 'FINISHED';
    if (state !== 'FINISHED') return { jobId, success: true, state };
    if (!job.published) for (const { name, bytes } of job.script.files) files.set(name, bytes);
    job.published = true;
    if (copy && job.asked.fields['s3BucketName'] !== undefined) job.copied ??= await copyAll(job, copy);
    return {
      jobId,
      success: true,
      state,
      ...(sessions === undefined ? {} : { numSessions: sessions }),
      numBytes: job.script.files.reduce((sum, { bytes }) => sum + bytes.length, 0),
      files: job.script.files.map(({ name }) => `${origin}/files/${name}?signature=do-not-tell`),
      ...(job.copied ? { s3CopyStatus: { success: job.copied } } : {}),
    };
  };

  const call = async (request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> => {
    const form = new URLSearchParams(await textOf(request));
    const fields = Object.fromEntries([...url.searchParams, ...form]);
    const what = fields['action'] ?? '';
    calls.push(seen(request, what, fields));
    const fault = takeFault(what);
    if (fault?.kind === 'answer') {
      response.writeHead(fault.status, { 'content-type': 'application/json' }).end(fault.body);
      return;
    }
    const reply = await (fields['appId'] !== appId || fields['clientKey'] !== clientKey
      ? refusal('Invalid access key')
      : what === 'exportData'
        ? exportData(fields)
        : what === 'getExportResults'
          ? getExportResults(fields)
          : refusal(`Unknown action ${what}`));
    if (fault?.kind === 'lose') {
      request.socket.destroy();
      return;
    }
    const body = Buffer.from(JSON.stringify({ response: [reply] }));
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length });
    finish(response, body, fault);
  };

  const file = (request: IncomingMessage, response: ServerResponse, name: string): void => {
    calls.push(seen(request, name, {}));
    const fault = takeFault(name);
    if (fault?.kind === 'answer') {
      response.writeHead(fault.status).end(request.method === 'HEAD' ? undefined : fault.body);
      return;
    }
    const bytes = files.get(name);
    if (!bytes) {
      response.writeHead(404).end();
      return;
    }
    const without = fault?.kind === 'without' ? fault.headers : [];
    const etag = `"${createHash('md5').update(bytes).digest('hex')}"`;
    const headers = (extra: Readonly<Record<string, string | number>>): Record<string, string | number> =>
      Object.fromEntries(
        Object.entries({ etag, 'last-modified': modified, ...extra }).filter(
          ([key]) => !without.includes(key),
        ),
      );
    const match = request.headers['if-match'];
    if (match !== undefined && match !== etag) {
      response.writeHead(412).end();
      return;
    }
    const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
    const ranged = first !== undefined && !without.includes('range');
    const from = ranged ? Number(first) : 0;
    const to = ranged && last !== '' ? Math.min(Number(last) + 1, bytes.length) : bytes.length;
    if (ranged && from >= bytes.length) {
      response.writeHead(416, headers({ 'content-range': `bytes */${bytes.length}` })).end();
      return;
    }
    const part = Buffer.from(bytes.subarray(from, to));
    response.writeHead(
      ranged ? 206 : 200,
      headers({
        'content-length': part.length,
        ...(ranged ? { 'content-range': `bytes ${from}-${to - 1}/${bytes.length}` } : {}),
      }),
    );
    if (request.method === 'HEAD') response.end();
    else finish(response, part, fault);
  };

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1');
    const name = /^\/files\/(.+)$/.exec(url.pathname)?.[1];
    if (name !== undefined) {
      file(request, response, name);
      return;
    }
    call(request, response, url).catch((error: unknown) => {
      response.writeHead(500).end(String(error));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    url: `${origin}/api`,
    calls,
    asked,
    fail: (what, fault, times = 1) => void faults.push({ what, fault, times }),
    expire: () => files.clear(),
    rewrite: (name, bytes) => void files.set(name, bytes),
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

type Reply = Readonly<Record<string, unknown>>;

function refusal(message: string): Reply {
  return { success: false, error: { message } };
}

/** To `s3ObjectPrefix`, which precedes the names as it is, with a manifest for each kind. */
async function copyAll(
  { asked, script }: Job,
  copy: NonNullable<LeanplumApiOptions['copy']>,
): Promise<readonly CopiedFile[]> {
  const prefix = asked.fields['s3ObjectPrefix'] ?? '';
  const compress = asked.fields['compressData'] === 'true';
  const copied: CopiedFile[] = [];
  const manifests = new Map<string, string[]>();
  for (const { name, bytes } of script.files) {
    if (script.notCopied?.includes(name) === true) continue;
    const destFile = prefix + name;
    await copy(destFile, compress ? gzipSync(bytes) : bytes);
    copied.push({ sourceFile: `gs://leanplum_export/${name}`, destFile });
    const manifest = name.replace(/\d+$/, 'manifest');
    manifests.set(manifest, [...(manifests.get(manifest) ?? []), destFile]);
  }
  if (script.notCopied !== undefined) return copied;
  for (const [name, list] of manifests) await copy(prefix + name, Buffer.from(JSON.stringify(list)));
  return copied;
}

function seen(request: IncomingMessage, what: string, fields: Readonly<Record<string, string>>): SeenCall {
  return { method: request.method ?? '', what, url: request.url ?? '', headers: request.headers, fields };
}

function finish(response: ServerResponse, body: Buffer, fault: ApiFault | undefined): void {
  if (fault?.kind !== 'cut') {
    response.end(body);
    return;
  }
  const sent = body.subarray(0, fault.afterBytes);
  if (sent.length === 0) response.flushHeaders();
  response.write(sent, () => setImmediate(() => response.socket?.destroy()));
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
