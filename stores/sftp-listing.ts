import type { FileEntryWithStats, Stats } from 'ssh2';

import type { SftpConnection } from './sftp-connection.js';
import { sftpStatus, statusOf } from './sftp-failures.js';
import type { ListingPage, StoredFile } from './store.js';

/** As S3 has them. */
const filesPerPage = 1_000;
/** Links whose targets are asked for at the same time. */
const linksAtOnce = 64;

/** What of a file's attributes a listing needs. */
type Look = Pick<Stats, 'size' | 'mtime'>;

export function versionOf({ size, mtime }: Look): string {
  return `${size}-${mtime}`;
}

/** What lies in one folder, in key order: a file with its attributes, or a folder with its final slash. */
export interface Entry {
  readonly name: string;
  /** Absent for folders. */
  readonly file?: Look;
}

/**
 * Reads one folder. One that is not there has nothing in it, as in S3. Links to files are files; links to folders, and
 * links to nothing, are left out: a link upwards would make a listing without an end.
 */
export async function readFolder(connection: SftpConnection, path: string): Promise<Entry[]> {
  const handle = await connection
    .ask<Buffer>((sftp, answer) => sftp.opendir(path, answer))
    .catch(noneIf(sftpStatus.noSuchFile));
  if (handle === undefined) return [];
  const entries: Entry[] = [];
  const links: string[] = [];
  try {
    for (;;) {
      const batch = await connection
        .ask<FileEntryWithStats[]>((sftp, answer) => sftp.readdir(handle, answer))
        .catch(noneIf(sftpStatus.endOfFile));
      if (batch === undefined) break;
      for (const { filename: name, attrs } of batch) {
        // No name has a slash in it, unless a server has something in mind with it.
        if (name === '' || name.includes('/')) continue;
        if (attrs.isDirectory()) entries.push({ name: `${name}/` });
        else if (attrs.isFile()) entries.push({ name, file: lookOf(attrs) });
        // A server may leave the kind out.
        else if (attrs.isSymbolicLink() || (attrs.mode as number | undefined) === undefined) links.push(name);
      }
    }
  } finally {
    await connection.ask((sftp, answer) => sftp.close(handle, answer)).catch(() => undefined);
  }
  for (let at = 0; at < links.length; at += linksAtOnce) {
    const some = links.slice(at, at + linksAtOnce).map((name) => target(connection, path, name));
    entries.push(...(await Promise.all(some)).filter((entry) => entry !== undefined));
  }
  return entries.sort((a, b) => compareKeys(a.name, b.name));
}

/**
 * A listing, page by page. What is held at a time is what lies in one folder and the rest of those above it, since a
 * server tells a folder's entries in no order: 3,000 files are about half a megabyte.
 *
 * `read` gives the entries of a folder below the prefix (empty: the prefix itself); `prefix` begins all keys.
 */
export async function* listFolders(
  prefix: string,
  depth: 'deep' | 'level',
  read: (folder: string) => Promise<Entry[]>,
): AsyncGenerator<ListingPage> {
  let files: StoredFile[] = [];
  let folders: string[] = [];
  let pages = 0;
  // The walk's rest, last first.
  const rest: { key: string; file?: Look }[] = [{ key: '' }];
  for (let next = rest.pop(), first = true; next !== undefined; next = rest.pop(), first = false) {
    const { key, file } = next;
    if (file !== undefined) {
      files.push({
        key: prefix + key,
        version: versionOf(file),
        size: file.size,
        modified: file.mtime * 1_000,
      });
    } else if (first || depth === 'deep') {
      const entries = await read(key);
      for (const { name, ...entry } of entries.reverse()) rest.push({ key: key + name, ...entry });
    } else {
      folders.push(prefix + key);
    }
    if (files.length + folders.length >= filesPerPage) {
      yield { files, folders };
      [files, folders, pages] = [[], [], pages + 1];
    }
  }
  if (pages === 0 || files.length + folders.length > 0) yield { files, folders };
}

async function target(connection: SftpConnection, path: string, name: string): Promise<Entry | undefined> {
  const found = await connection
    .ask<Stats>((sftp, answer) => sftp.stat(below(path, name), answer))
    .catch(noneIf(sftpStatus.noSuchFile));
  if (found?.isFile() !== true) return undefined;
  return { name, file: lookOf(found) };
}

function below(path: string, name: string): string {
  if (path === '.') return name;
  return path === '/' ? `/${name}` : `${path}/${name}`;
}

/** By the bytes of UTF-8, as S3 orders keys. JavaScript's own order differs only where surrogates come in. */
function compareKeys(a: string, b: string): number {
  const surrogates = /[\ud800-\udfff]/;
  if (surrogates.test(a) || surrogates.test(b)) return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return a < b ? -1 : a > b ? 1 : 0;
}

function lookOf({ size, mtime }: Look): Look {
  return { size, mtime };
}

function noneIf(status: number): (error: unknown) => undefined {
  return (error) => {
    if (statusOf(error) !== status) throw error;
    return undefined;
  };
}
