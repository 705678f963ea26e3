/**
 * Leanplum's export API: `exportData` begins a job, `getExportResults` tells how far it is and where its files lie.
 *
 * Errors come with status 200 as well; and "verify that the response has neither `warning` or `error` objects to confirm
 * the action was taken". Nothing of what is sent can be asked for twice without being done twice.
 */

import { z } from 'zod';

import type { Secret } from '../config/secret.js';
import { Failure, failureTypes } from '../model/failure.js';
import { exportLimits } from '../vendors/leanplum/export.js';
import { lastComponent } from '../vendors/leanplum/manifest.js';
import { readText, send, Unanswered } from './http.js';
import { copiesOf, type Copies } from './leanplum-copies.js';
import { quote } from './quote.js';

export interface LeanplumApi {
  readonly appId: string;
  readonly clientKey: Secret;
  readonly url: string;
  /** Files of results may lie in a private network, and at addresses without TLS. */
  readonly privateResults?: boolean | undefined;
  /** With which Leanplum writes into the bucket, where it is asked to. */
  readonly copyToStore?: { readonly accessKeyId: Secret; readonly secretAccessKey: Secret } | undefined;
}

export interface ExportRequest {
  /** Pacific days, `YYYY-MM-DD`, both included. */
  readonly from: string;
  readonly to: string;
  readonly format: 'json' | 'csv';
  /** Where Leanplum is to copy the files to, if it has keys for it. The prefix precedes their names as it is. */
  readonly copyTo: { readonly bucket: string; readonly prefix: string };
}

export interface ExportResults {
  /** PENDING, RUNNING, FINISHED or FAILED, as documented. */
  readonly state: string;
  readonly sessions?: number;
  readonly bytes?: number;
  /** Addresses of the files, which may be signed: by their names. */
  readonly files: ReadonlyMap<string, string>;
  /** What became of the copies; only where they were asked for. */
  readonly copies?: Copies;
}

/** Milliseconds without an answer. */
const patience = 60_000;
/** Bytes: 100,000 addresses. */
const longestAnswer = 16 * 1024 * 1024;

const said = z.object({ message: z.string() }).nullish();
const answerShape = z.object({
  response: z
    .array(
      z.looseObject({
        success: z.boolean().nullish(),
        error: said,
        warning: said,
        jobId: z.string().min(1).nullish(),
        state: z.string().min(1).nullish(),
        numSessions: z.number().nullish(),
        numBytes: z.number().nullish(),
        files: z.array(z.string()).nullish(),
        s3CopyStatus: z.record(z.string(), z.unknown()).nullish(),
      }),
    )
    .min(1),
});

type Answer = z.output<typeof answerShape>['response'][number];

/**
 * Asks for an export, once, and gives the job's id; undefined where nothing matches. Throws `StoreUnavailable` only when
 * the request certainly did not reach Leanplum, so that asking again asks but once: it costs one of 24 exports a day.
 */
export async function askForExport(api: LeanplumApi, request: ExportRequest): Promise<string | undefined> {
  const { from, to, format, copyTo } = request;
  const what = `Asking ${placeOf(api)} for an export of ${from} to ${to}`;
  const fields = {
    startDate: from.replaceAll('-', ''),
    endDate: to.replaceAll('-', ''),
    exportFormat: format,
    ...(api.copyToStore === undefined
      ? {}
      : {
          s3BucketName: copyTo.bucket,
          s3AccessId: api.copyToStore.accessKeyId.reveal(),
          s3AccessKey: api.copyToStore.secretAccessKey.reveal(),
          s3ObjectPrefix: copyTo.prefix,
          compressData: 'true',
        }),
  };
  try {
    const answer = await call(api, what, 'exportData', fields);
    const refusal = refusalIn(answer);
    if (refusal === undefined) {
      if (typeof answer.jobId === 'string') return answer.jobId;
      throw new NoAnswer('it names no job', true);
    }
    // The words of the API in 2015, for days without sessions.
    if (/no matching data/i.test(refusal)) return undefined;
    const words = quote(refusal, secretsOf(api));
    throw new Failure(failureTypes.exportFailed, `${what} was refused: ${words}. ${meaningOf(words)}`);
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    if (!error.mayHaveArrived) {
      throw new Failure(
        failureTypes.storeUnavailable,
        `${what} failed: ${error.message}. Leanplum did not hear of it; it is tried again.`,
      );
    }
    throw new Failure(
      failureTypes.exportFailed,
      `${what} had no answer that can be used: ${error.message}. Whether Leanplum took it nobody can tell, and it would ` +
        `count as one of 24 exports a day, so it is not repeated by itself. Ask for the export anew.`,
    );
  }
}

/** How far an export is. Throws `ExportExpired` where Leanplum no longer tells; other faults are passing. */
export async function readExportResults(
  api: LeanplumApi,
  exportJob: string,
  signal?: AbortSignal,
): Promise<ExportResults> {
  const what = `Asking ${placeOf(api)} for the results of ${exportJob}`;
  let answer: Answer;
  try {
    answer = await call(api, what, 'getExportResults', { jobId: exportJob }, signal);
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    throw new Failure(failureTypes.storeUnavailable, `${what} failed: ${error.message}. It is retried.`);
  }
  const refusal = refusalIn(answer);
  if (refusal !== undefined) {
    const words = quote(refusal, secretsOf(api));
    throw new Failure(
      failureTypes.exportExpired,
      `${what} was refused: ${words}. Leanplum keeps results for 24 hours; if these are gone, ask for the export anew.`,
    );
  }
  if (typeof answer.state !== 'string') {
    throw new Failure(
      failureTypes.storeUnavailable,
      `${what} gave an answer without a state. It is retried.`,
    );
  }
  const files = new Map((answer.files ?? []).map((address) => [lastComponent(address), address]));
  const copies = answer.s3CopyStatus
    ? copiesOf(answer.s3CopyStatus, [...files.keys()], secretsOf(api))
    : undefined;
  return {
    state: answer.state.toUpperCase(),
    ...(typeof answer.numSessions === 'number' ? { sessions: answer.numSessions } : {}),
    ...(typeof answer.numBytes === 'number' ? { bytes: answer.numBytes } : {}),
    files,
    ...(copies ? { copies } : {}),
  };
}

function refusalIn({ success, error, warning }: Answer): string | undefined {
  return error?.message ?? warning?.message ?? (success === false ? 'no reason was given' : undefined);
}

/** Names of files, few enough for a sentence. */
export function nameFiles(names: readonly string[]): string {
  const shown = names.slice(0, 5);
  return `${shown.join(', ')}${names.length > shown.length ? `, and ${names.length - shown.length} more` : ''}`;
}

/** That there was no answer, or none that can be understood. */
class NoAnswer extends Error {
  constructor(
    message: string,
    readonly mayHaveArrived: boolean,
  ) {
    super(message);
  }
}

async function call(
  api: LeanplumApi,
  what: string,
  action: string,
  fields: Readonly<Record<string, string>>,
  signal?: AbortSignal,
): Promise<Answer> {
  const url = new URL(api.url);
  // The action says nothing that servers may not write down; everything else does.
  url.searchParams.set('action', action);
  const form = new URLSearchParams({
    ...{ appId: api.appId, clientKey: api.clientKey.reveal(), apiVersion: '1.0.6' },
    ...fields,
  });
  let status: number;
  let text: string;
  try {
    const response = await send({
      method: 'POST',
      url: url.href,
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      body: form.toString(),
      idleTimeout: patience,
      signal,
    });
    status = response.statusCode ?? 0;
    text = await readText(response, longestAnswer);
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof Unanswered) throw new NoAnswer(error.message, error.mayHaveArrived);
    throw error;
  }
  const answer = parse(text);
  const words = answer?.error?.message;
  // "Invalid access key": of another app, or one that is not for data export.
  if (status === 401 || status === 403 || /access key|client ?key/i.test(words ?? '')) {
    throw new Failure(
      failureTypes.accessDenied,
      `${what} was refused with status ${status}${words === undefined ? '' : `: ${quote(words, secretsOf(api))}`}. ` +
        `Check api.appId and api.clientKey of the source: the key has to be the app's for data export.`,
    );
  }
  if ((status >= 300 && status < 400) || status === 404) {
    throw new Failure(
      failureTypes.configInvalid,
      `${what} was answered with status ${status}: the API is not there. Check api.url of the source.`,
      { mayPass: true },
    );
  }
  // What a busy or broken server says is not what became of the request.
  if (status >= 500 || (status === 429 && action !== 'exportData')) {
    throw new NoAnswer(`status ${status}`, true);
  }
  if (answer === undefined)
    throw new NoAnswer(`an answer with status ${status} that is not as documented`, true);
  return status < 300
    ? answer
    : { ...answer, success: false, error: { message: words ?? `status ${status}` } };
}

function parse(text: string): Answer | undefined {
  try {
    return answerShape.parse(JSON.parse(text)).response[0];
  } catch {
    return undefined;
  }
}

/** What a refusal means, and what to do. */
function meaningOf(words: string): string {
  if (/60 days|older than|days ago/i.test(words)) {
    return 'Leanplum exports what has become available within the last 60 days: ask for later days.';
  }
  if (/per day|a day|daily|limit|quota|too many|429|exceed/i.test(words)) {
    return 'Leanplum takes 24 exports of an app in a day: ask again tomorrow, and for several days at a time.';
  }
  return `Nothing is exported, and it is not repeated by itself. ${exportLimits}`;
}

function secretsOf({ clientKey, copyToStore }: LeanplumApi): readonly Secret[] {
  return copyToStore === undefined
    ? [clientKey]
    : [clientKey, copyToStore.accessKeyId, copyToStore.secretAccessKey];
}

/** For messages: without a query. */
function placeOf({ url }: LeanplumApi): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}
