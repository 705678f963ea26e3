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

/** Where a folder is: the store's root, as paths of the server begin, and the folder's own path. */
export interface FolderAt {
  readonly root: string;
  readonly path: string;
}

/** How often a folder is read for two readings, one after the other, to show the same. */
const readings = 6;

/** Answers without an entry that are taken before a folder's end. */
const mostEmptyAnswers = 100;

/**
 * Reads one folder. One that is not there has nothing in it, as in S3. Links to files are files; links to folders, and
 * links to nothing, are left out: a link upwards would make a listing without an end.
 *
 * Nothing in the protocol tells a whole listing from one that a server ended too early, or a folder that is not there from
 * one that it could not find just now: so a listing counts when a second one shows the same names, and a folder is not
 * there when the one above, which is read too, does not have it.
 */
export async function readFolder(connection: SftpConnection, { root, path }: FolderAt): Promise<Entry[]> {
  let before = await namesIn(connection, path);
  for (let reading = 2; ; reading += 1) {
    const now = await namesIn(connection, path);
    if (sameNames(before, now)) {
      if (now !== undefined) return entriesOf(connection, path, now);
      await proveMissing(connection, { root, path });
      return [];
    }
    if (reading >= readings) {
      throw new Error(`the folder showed other files at each of ${readings} readings, one after the other`);
    }
    before = now;
  }
}

/** What a folder has, as the server tells it; undefined where it says that there is no such folder. */
async function namesIn(
  connection: SftpConnection,
  path: string,
): Promise<ReadonlyMap<string, FileEntryWithStats['attrs']> | undefined> {
  const handle = await connection
    .ask<Buffer>((sftp, answer) => sftp.opendir(path, answer))
    .catch(noneIf(sftpStatus.noSuchFile));
  if (handle === undefined) return undefined;
  const names = new Map<string, FileEntryWithStats['attrs']>();
  let empty = 0;
  try {
    for (;;) {
      const batch = await connection
        .ask<FileEntryWithStats[]>((sftp, answer) => sftp.readdir(handle, answer))
        .catch(noneIf(sftpStatus.endOfFile));
      if (batch === undefined) return names;
      empty = batch.length === 0 ? empty + 1 : 0;
      if (empty > mostEmptyAnswers)
        throw new Error('the server tells neither a file of the folder nor its end');
      for (const { filename: name, attrs } of batch) {
        // No name has a slash in it, unless a server has something in mind with it.
        if (name === '' || name.includes('/') || name === '.' || name === '..') continue;
        names.set(name, attrs);
      }
    }
  } finally {
    await connection.ask((sftp, answer) => sftp.close(handle, answer)).catch(() => undefined);
  }
}

type Names = Awaited<ReturnType<typeof namesIn>>;

function sameNames(one: Names, other: Names): boolean {
  if (one === undefined || other === undefined) return one === other;
  return one.size === other.size && [...one.keys()].every((name) => other.has(name));
}

async function entriesOf(
  connection: SftpConnection,
  path: string,
  names: NonNullable<Names>,
): Promise<Entry[]> {
  const entries: Entry[] = [];
  const links: string[] = [];
  for (const [name, attrs] of names) {
    if (attrs.isDirectory()) entries.push({ name: `${name}/` });
    else if (attrs.isFile()) entries.push({ name, file: lookOf(attrs) });
    else if (isLink(attrs)) links.push(name);
  }
  for (let at = 0; at < links.length; at += linksAtOnce) {
    const some = links.slice(at, at + linksAtOnce).map((name) => target(connection, path, name));
    entries.push(...(await Promise.all(some)).filter((entry) => entry !== undefined));
  }
  return entries.sort((a, b) => compareKeys(a.name, b.name));
}

/** A server may leave the kind out. */
function isLink(attrs: FileEntryWithStats['attrs']): boolean {
  return attrs.isSymbolicLink() || (attrs.mode as number | undefined) === undefined;
}

/**
 * Throws where the nearest folder above that is there has the folder after all, or a link that leads nowhere. Above the
 * store's root a user may have no right to look; then what the server said twice has to do.
 */
async function proveMissing(connection: SftpConnection, { root, path }: FolderAt): Promise<void> {
  for (let missing = path; ;) {
    const slash = missing.lastIndexOf('/');
    const name = missing.slice(slash + 1);
    const above = slash > 0 ? missing.slice(0, slash) : slash === 0 ? '/' : '.';
    if (name === '' || name === '.')
      throw new Error(`the server does not find ${missing}, where everything begins`);
    const names = await namesIn(connection, above).catch((error: unknown) => {
      const outside = !`${above}/`.startsWith(root) && root !== '';
      if (outside && statusOf(error) === sftpStatus.permissionDenied) return new Map<string, never>();
      throw error;
    });
    if (names !== undefined) {
      const attrs = names.get(name);
      if (attrs === undefined || !(attrs.isDirectory() || isLink(attrs))) return;
      const stats = attrs.isDirectory() ? undefined : await statOf(connection, below(above, name));
      if (stats?.isFile() === true) return;
      throw new Error(`the server does not find the folder ${missing}, and lists it in the one above`);
    }
    missing = above;
  }
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
  const found = await statOf(connection, below(path, name));
  if (found?.isFile() !== true) return undefined;
  return { name, file: lookOf(found) };
}

function statOf(connection: SftpConnection, path: string): Promise<Stats | undefined> {
  return connection
    .ask<Stats>((sftp, answer) => sftp.stat(path, answer))
    .catch(noneIf(sftpStatus.noSuchFile));
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
