import { open, opendir, lstat, readlink, stat, unlink, type FileHandle } from 'node:fs/promises';
import type { Dir, Stats } from 'node:fs';
import { join } from 'node:path';
import { posix } from 'node:path';
import ssh2, { type Attributes, type FileEntry, type SFTPWrapper } from 'ssh2';

const { STATUS_CODE: status, OPEN_MODE: mode } = ssh2.utils.sftp;

/** What a client asks for. Paths are absolute, as the user sees them; of an open file or folder, the path it was opened by. */
export interface SftpRequest {
  readonly kind:
    'open' | 'read' | 'fstat' | 'stat' | 'lstat' | 'opendir' | 'readdir' | 'close' | 'remove' | 'other';
  readonly path: string;
  /** Of a read. */
  readonly offset?: number;
}

/** Sees a request before it is answered. A status that it gives is the answer instead. */
export type RequestHook = (request: SftpRequest) => Promise<number | undefined> | number | undefined;

export interface ServedFolder {
  readonly directory: string;
  readonly bytesAtOnce: number;
  readonly hook: RequestHook;
}

type Opened =
  | { readonly path: string; readonly file: FileHandle }
  | { readonly path: string; readonly folder: Dir; started: boolean };

/** Entries that one answer to a request for a folder's has, as OpenSSH's server does it. */
const entriesAtOnce = 100;

/**
 * Answers the requests of one session from a folder, which its user sees as the whole server, and may only read and delete.
 * What it gives is to be called when the connection has ended.
 */
export function serveFolder(sftp: SFTPWrapper, { directory, bytesAtOnce, hook }: ServedFolder): () => void {
  const opened = new Map<number, Opened>();
  let handles = 0;
  let over = false;

  const seen = (path: string): string => posix.normalize(`/${path}`);
  const local = (path: string): string => join(directory, seen(path));
  const found = (handle: Buffer): Opened => {
    const entry = opened.get(handle.readUInt32BE(0));
    if (entry === undefined) throw new Error('There is no such handle.');
    return entry;
  };
  const give = (id: number, entry: Opened): void => {
    if (over) {
      closeEntry(entry);
      return;
    }
    const handle = Buffer.alloc(4);
    handle.writeUInt32BE((handles += 1));
    opened.set(handles, entry);
    sftp.handle(id, handle);
  };
  const answer = (id: number, request: SftpRequest, work: () => Promise<void>): void => {
    const answered = async (): Promise<void> => {
      const instead = await hook(request);
      if (instead === undefined) await work();
      else sftp.status(id, instead);
    };
    answered().catch((error: unknown) => sftp.status(id, statusOf(error), (error as Error).message));
  };

  sftp.on('OPEN', (id, path, flags) =>
    answer(id, { kind: 'open', path: seen(path) }, async () => {
      if (flags & (mode.WRITE | mode.APPEND | mode.CREAT | mode.TRUNC)) {
        sftp.status(id, status.PERMISSION_DENIED);
        return;
      }
      give(id, { path: seen(path), file: await open(local(path), 'r') });
    }),
  );
  sftp.on('READ', (id, handle, offset, length) => {
    const entry = opened.get(handle.readUInt32BE(0));
    answer(id, { kind: 'read', path: entry?.path ?? '', offset }, async () => {
      const of = found(handle);
      if (!('file' in of)) {
        sftp.status(id, status.FAILURE);
        return;
      }
      const most = Math.min(length, bytesAtOnce);
      const { bytesRead, buffer } = await of.file.read(Buffer.allocUnsafe(most), 0, most, offset);
      if (bytesRead === 0) sftp.status(id, status.EOF);
      else sftp.data(id, buffer.subarray(0, bytesRead));
    });
  });
  sftp.on('FSTAT', (id, handle) => {
    const entry = opened.get(handle.readUInt32BE(0));
    answer(id, { kind: 'fstat', path: entry?.path ?? '' }, async () => {
      const of = found(handle);
      sftp.attrs(id, attributes('file' in of ? await of.file.stat() : await stat(local(of.path))));
    });
  });
  for (const [event, kind, look] of [
    ['STAT', 'stat', stat],
    ['LSTAT', 'lstat', lstat],
  ] as const) {
    sftp.on(event as 'STAT', (id, path) =>
      answer(id, { kind, path: seen(path) }, async () => sftp.attrs(id, attributes(await look(local(path))))),
    );
  }
  sftp.on('OPENDIR', (id, path) =>
    answer(id, { kind: 'opendir', path: seen(path) }, async () =>
      give(id, { path: seen(path), folder: await opendir(local(path)), started: false }),
    ),
  );
  sftp.on('READDIR', (id, handle) => {
    const entry = opened.get(handle.readUInt32BE(0));
    answer(id, { kind: 'readdir', path: entry?.path ?? '' }, async () => {
      const of = found(handle);
      if (!('folder' in of)) {
        sftp.status(id, status.FAILURE);
        return;
      }
      const names = of.started ? [] : ['.', '..'];
      of.started = true;
      while (names.length < entriesAtOnce) {
        const next = await of.folder.read();
        if (next === null) break;
        names.push(next.name);
      }
      const entries = await Promise.all(names.map((name) => entryOf(local(of.path), name)));
      if (entries.length === 0) sftp.status(id, status.EOF);
      else
        sftp.name(
          id,
          entries.filter((one) => one !== undefined),
        );
    });
  });
  sftp.on('CLOSE', (id, handle) => {
    const entry = opened.get(handle.readUInt32BE(0));
    answer(id, { kind: 'close', path: entry?.path ?? '' }, async () => {
      const of = found(handle);
      opened.delete(handle.readUInt32BE(0));
      await ('file' in of ? of.file.close() : of.folder.close());
      sftp.status(id, status.OK);
    });
  });
  sftp.on('REMOVE', (id, path) =>
    answer(id, { kind: 'remove', path: seen(path) }, async () => {
      await unlink(local(path));
      sftp.status(id, status.OK);
    }),
  );
  sftp.on('READLINK', (id, path) =>
    answer(id, { kind: 'other', path: seen(path) }, async () => {
      const filename = await readlink(local(path));
      sftp.name(id, [{ filename, longname: filename, attrs: nothing }]);
    }),
  );
  sftp.on('REALPATH', (id, path) =>
    answer(id, { kind: 'other', path: seen(path) }, async () => {
      sftp.name(id, [{ filename: seen(path), longname: seen(path), attrs: nothing }]);
      return Promise.resolve();
    }),
  );
  const refused = ['WRITE', 'FSETSTAT', 'SETSTAT', 'MKDIR', 'RMDIR', 'RENAME', 'SYMLINK'] as const;
  for (const event of refused) {
    sftp.on(event as 'RMDIR', (id) => sftp.status(id, status.PERMISSION_DENIED));
  }
  sftp.on('EXTENDED', (id) => sftp.status(id, status.OP_UNSUPPORTED));
  // A client that has had enough says so, and waits for us to say it too.
  sftp.once('end', () => sftp.end());
  return () => {
    over = true;
    for (const entry of opened.values()) closeEntry(entry);
    opened.clear();
  };
}

function closeEntry(entry: Opened): void {
  ('file' in entry ? entry.file.close() : entry.folder.close()).catch(() => undefined);
}

const nothing = {} as Attributes;

function attributes({ mode: bits, uid, gid, size, atimeMs, mtimeMs }: Stats): Attributes {
  return {
    mode: bits,
    uid,
    gid,
    size,
    atime: Math.floor(atimeMs / 1_000),
    mtime: Math.floor(mtimeMs / 1_000),
  };
}

/** Undefined for what has gone in the meantime. */
async function entryOf(folder: string, name: string): Promise<FileEntry | undefined> {
  const stats = await lstat(join(folder, name)).catch(() => undefined);
  if (stats === undefined) return undefined;
  const kind = stats.isDirectory() ? 'd' : stats.isSymbolicLink() ? 'l' : '-';
  const longname = `${kind}rw-r--r-- 1 landfall landfall ${stats.size} ${stats.mtime.toISOString()} ${name}`;
  return { filename: name, longname, attrs: attributes(stats) };
}

function statusOf(error: unknown): number {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return status.NO_SUCH_FILE;
    case 'EACCES':
    case 'EPERM':
      return status.PERMISSION_DENIED;
    default:
      return status.FAILURE;
  }
}
