/**
 * The results of an export that was asked for, shown as a store: its files lie in the folder of a day, beside the
 * manifests that a job of the automatic export would have. They are Leanplum's, and gone after 24 hours.
 */

import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';

import { startOfDay } from '../model/day.js';
import { Failure, failureTypes } from '../model/failure.js';
import { jobOf, keyOf, manifestsFor, type MadeManifest } from '../vendors/leanplum/export.js';
import { dateFolder, parseName } from '../vendors/leanplum/layout.js';
import { changed, download, unquote, type Opened } from './download.js';
import { send, Unanswered } from './http.js';
import { nameFiles, readExportResults, type LeanplumApi } from './leanplum-api.js';
import { AddressRefused } from './private-addresses.js';
import type { FetchOptions, ListingPage, ListOptions, Store, StoredFile } from './store.js';

export interface ExportedFiles {
  /** The id that Leanplum gave the export. */
  readonly exportJob: string;
  /** `YYYY-MM-DD`: the day in whose folder the files are shown. */
  readonly date: string;
}

/** Files whose length is asked for at the same time. */
const measuredAtOnce = 8;

const advice = 'Leanplum keeps the files of an export for 24 hours; ask for the export anew.';

/** Nothing is connected yet. */
export function openExportResults(api: LeanplumApi, { exportJob, date }: ExportedFiles): Store {
  const name = `leanplum:${exportJob}/`;
  /** By file name; asked for again where they no longer work, since they may be signed for a while only. */
  let addresses: ReadonlyMap<string, string> | undefined;

  async function askForAddresses(signal?: AbortSignal): Promise<ReadonlyMap<string, string>> {
    const { state, files } = await readExportResults(api, exportJob, signal);
    if (state !== 'FINISHED') {
      throw new Failure(
        failureTypes.storeUnavailable,
        `The export ${exportJob} is ${state}, and has no files before it is FINISHED. It is retried.`,
      );
    }
    for (const [file, address] of files) {
      const url = URL.canParse(address) ? new URL(address) : undefined;
      if (url === undefined || !/^https?:$/.test(url.protocol)) {
        throw new Failure(
          failureTypes.exportFailed,
          `The results of ${exportJob} cannot be loaded: a file has no address that can be read. Ask for the export anew.`,
        );
      }
      // Who signs an address for us means it to be secret.
      if (url.protocol === 'http:' && !isTrusted(url)) {
        throw refused(
          file,
          `its address at ${url.host} begins with http://, which anyone on the way can read`,
        );
      }
    }
    try {
      jobOf([...files.keys()]);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new Failure(
        failureTypes.exportFailed,
        `The results of ${exportJob} cannot be loaded. ${why} Please report it.`,
      );
    }
    addresses = files;
    return files;
  }

  /** The API's own server, which the configuration names. */
  function isTrusted(address: URL): boolean {
    return api.privateResults === true || address.origin === new URL(api.url).origin;
  }

  function refused(file: string, why: string): Failure {
    return new Failure(
      failureTypes.exportFailed,
      `The results of ${exportJob} cannot be loaded: of ${file} ${why}. If Leanplum's results are to lie there, set ` +
        `api.privateResults of the source to true, restart the workers and reprocess the delivery.`,
    );
  }

  async function manifests(signal?: AbortSignal): Promise<readonly MadeManifest[]> {
    return manifestsFor(date, [...(addresses ?? (await askForAddresses(signal))).keys()]);
  }

  async function* list(prefix: string, options: ListOptions = {}): AsyncIterable<ListingPage> {
    if (prefix !== '' && prefix !== dateFolder(date)) return;
    const found = await askForAddresses(options.signal);
    const files = await measureAll(found, options.signal);
    const newest = Math.max(...files.map(({ modified }) => modified));
    const made = (await manifests(options.signal)).map(({ key, text }): StoredFile => ({
      key,
      version: versionOf(text),
      size: Buffer.byteLength(text),
      modified: newest,
    }));
    yield {
      files: [...files, ...made].sort((a, b) => (a.key < b.key ? -1 : 1)),
      folders: [],
    };
  }

  async function measureAll(
    found: ReadonlyMap<string, string>,
    signal?: AbortSignal,
  ): Promise<readonly StoredFile[]> {
    const waiting = [...found];
    const files: StoredFile[] = [];
    const gone: string[] = [];
    const measureSome = async (): Promise<void> => {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        const [file, address] = next;
        const measured = await measure(address, file, signal);
        if (measured === 'gone') gone.push(file);
        else
          files.push({
            key: keyOf(date, file),
            ...measured,
            modified: measured.modified ?? startOfDay(date),
          });
      }
    };
    await Promise.all(Array.from({ length: measuredAtOnce }, measureSome));
    if (gone.length > 0) throw expired(gone.sort(), found.size);
    return files;
  }

  /** Some servers sign an address for GET alone: then the first byte's answer tells the length. */
  async function measure(
    address: string,
    file: string,
    signal?: AbortSignal,
  ): Promise<'gone' | (Pick<StoredFile, 'version' | 'size'> & { readonly modified?: number })> {
    for (const method of ['HEAD', 'GET'] as const) {
      const headers = method === 'GET' ? { range: 'bytes=0-0' } : {};
      const answer = await ask({ method, url: address, headers, signal }, file);
      answer.destroy();
      const status = answer.statusCode ?? 0;
      const size = sizeIn(answer);
      if (size !== undefined && (status === 200 || status === 206 || status === 416)) {
        return { size, ...identityOf(answer, size) };
      }
      if (status === 404 || status === 410) return 'gone';
      if (method === 'HEAD') continue;
      // Google says 403 of files that are gone to those who may not list.
      if (status === 401 || status === 403) return 'gone';
      const why = status < 300 ? 'its length is not told' : `status ${status}`;
      throw unavailable(file, why);
    }
    throw unavailable(file, 'its length is not told');
  }

  async function open(file: StoredFile, offset: number, signal?: AbortSignal): Promise<Opened> {
    const which = nameIn(file);
    for (const known of [addresses, undefined]) {
      const address = (known ?? (await askForAddresses(signal))).get(which);
      if (address === undefined) throw changed(name, file, 'the export no longer has it');
      const answer = await ask(
        { method: 'GET', url: address, headers: conditions(file, offset), signal },
        which,
      );
      const status = answer.statusCode ?? 0;
      if (status === 200 || status === 206) return checked(file, answer, status === 206 ? offset : 0);
      answer.destroy();
      if (status === 412 || status === 416) throw changed(name, file, 'that version is no longer there');
      if (![401, 403, 404, 410].includes(status)) throw unavailable(which, `status ${status}`);
      if (known === undefined) break;
    }
    throw expired([which], 1);
  }

  /** Servers may ignore a condition, so what came is compared with what was listed. */
  function checked(file: StoredFile, answer: IncomingMessage, from: number): Opened {
    const size = sizeIn(answer);
    const version = identityOf(answer, size ?? file.size).version;
    if (version !== file.version || (size !== undefined && size !== file.size)) {
      answer.destroy();
      throw changed(name, file, `it was written anew as version ${version}`);
    }
    return { body: answer, from };
  }

  async function ask(request: Parameters<typeof send>[0], file: string): Promise<IncomingMessage> {
    try {
      return await send({ ...request, onlyPublic: !isTrusted(new URL(request.url)) });
    } catch (error) {
      if (error instanceof AddressRefused) throw refused(file, `the address is not public: ${error.message}`);
      if (error instanceof Unanswered) throw unavailable(file, error.message);
      throw error;
    }
  }

  function unavailable(file: string, why: string): Failure {
    return new Failure(
      failureTypes.storeUnavailable,
      `Reading ${name}${file} failed: ${why}. It is retried.`,
    );
  }

  function expired(gone: readonly string[], all: number): Failure {
    const which =
      all === 1
        ? `The file ${gone.join()} of the export ${exportJob} is`
        : `Of the ${all} files of the export ${exportJob} ${gone.length} are`;
    const names = all === 1 ? '' : ` (${nameFiles(gone)})`;
    return new Failure(failureTypes.exportExpired, `${which} no longer there${names}. ${advice}`);
  }

  async function fetch(file: StoredFile, path: string, options: FetchOptions = {}): Promise<void> {
    if (parseName(nameIn(file))?.role === 'manifest') {
      const made = (await manifests(options.signal)).find(({ key }) => key === file.key);
      if (made === undefined || versionOf(made.text) !== file.version) {
        throw changed(name, file, 'the export has other files now');
      }
      await writeFile(path, made.text);
      options.onBytes?.(file.size);
      return;
    }
    const explain = (fault: unknown): unknown =>
      fault instanceof Failure ? fault : unavailable(nameIn(file), wordOf(fault));
    await download(file, path, { open, explain }, options);
  }

  return {
    name,
    list,
    fetch,
    remove: () =>
      Promise.reject(
        new Failure(
          failureTypes.configInvalid,
          `The files of the export ${exportJob} are Leanplum's and cannot be deleted; Leanplum does so after 24 hours.`,
        ),
      ),
    close: () => Promise.resolve(),
  };
}

/** What tells a version of a file from another one. */
function identityOf(
  answer: IncomingMessage,
  size: number,
): { readonly version: string; readonly modified?: number } {
  const modified = Date.parse(answer.headers['last-modified'] ?? '');
  const { etag } = answer.headers;
  return {
    version: etag === undefined ? `${untagged}${size}-${modified}` : unquote(etag),
    ...(Number.isNaN(modified) ? {} : { modified }),
  };
}

const untagged = 'untagged-';

function conditions(file: StoredFile, offset: number): Readonly<Record<string, string>> {
  // A weak tag never matches.
  const tagged = !file.version.startsWith(untagged) && !file.version.startsWith('W/');
  return {
    ...(tagged ? { 'if-match': `"${file.version}"` } : {}),
    ...(offset > 0 ? { range: `bytes=${offset}-` } : {}),
  };
}

/** Bytes of the whole file, where the answer tells. */
function sizeIn({ statusCode, headers }: IncomingMessage): number | undefined {
  const whole =
    statusCode === 200 ? headers['content-length'] : /\/(\d+)$/.exec(headers['content-range'] ?? '')?.[1];
  return whole === undefined ? undefined : Number(whole);
}

function nameIn({ key }: StoredFile): string {
  return key.slice(key.lastIndexOf('/') + 1);
}

function versionOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

function wordOf(fault: unknown): string {
  return fault instanceof Error ? fault.message : String(fault);
}
