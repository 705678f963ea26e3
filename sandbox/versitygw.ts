import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { inCache } from './cache.js';
import { findOnPath, run } from './commands.js';
import { cachedName, goInstall, type GoProgram } from './go-install.js';
import { freePort, givePortBack } from './ports.js';
import type { Progress } from './progress.js';
import { NotProvisioned, provision } from './provision.js';
import type { S3Options, S3Server } from './s3.js';
import { lastLines, startServerProcess } from './server-process.js';

const PROGRAM: GoProgram = {
  name: 'versitygw',
  package: 'github.com/versity/versitygw/cmd/versitygw',
  version: '1.8.0',
  line: 'Building the S3 server versitygw with Go (about a minute, once)',
};

/** The program, or the reason why it is not to be had here: tests that need it say so and are skipped. */
export type Versitygw =
  { readonly kind: 'found'; readonly path: string } | { readonly kind: 'absent'; readonly reason: string };

/** versitygw honours If-Match and checks requests more strictly than s3rver; only tests use it. */
export async function versitygw(progress: Progress): Promise<Versitygw> {
  try {
    const path = await provision(
      'The S3 server versitygw',
      [
        { where: '"versitygw" on PATH', find: onPath },
        { where: 'in the cache', find: () => inCache(cachedName(PROGRAM)) },
        { where: 'a build with Go', find: () => goInstall(PROGRAM, progress) },
      ],
      ['install versitygw so that it is on PATH', 'install Go, so that it can be built here'],
    );
    return { kind: 'found', path };
  } catch (error) {
    if (error instanceof NotProvisioned) return { kind: 'absent', reason: error.message };
    throw error;
  }
}

async function onPath(): Promise<string | undefined> {
  const path = await findOnPath('versitygw');
  if (path === undefined) return undefined;
  const tried = await run(path, ['--version'], { timeoutMs: 20_000 });
  if (!tried.ok) throw new Error(tried.failure);
  return path;
}

export interface VersitygwOptions extends S3Options {
  readonly binary: string;
}

/** Starts versitygw on 127.0.0.1. Objects lie in `<directory>/objects/<bucket>/<key>`, the log beside them. */
export async function startVersitygw(options: VersitygwOptions): Promise<S3Server> {
  const directory = resolve(options.directory);
  const objects = join(directory, 'objects');
  // Metadata in files of their own: not every file system (tmpfs of older kernels) has extended attributes.
  const metadata = join(directory, 'metadata');
  const logFile = join(directory, 'versitygw.log');
  await Promise.all([objects, metadata].map((path) => mkdir(path, { recursive: true })));
  // Top-level directories are buckets.
  await Promise.all(options.buckets.map((name) => mkdir(join(objects, name), { recursive: true })));

  const port = options.port ?? (await freePort());
  const access = { accessKeyId: 'landfall', secretAccessKey: 'landfall-sandbox' };
  const server = await startServerProcess({
    name: 'versitygw',
    command: options.binary,
    args: [
      '--port',
      `127.0.0.1:${port}`,
      '--health',
      '/health',
      '--quiet',
      'posix',
      '--sidecar',
      metadata,
      objects,
    ],
    env: {
      PATH: process.env['PATH'],
      ROOT_ACCESS_KEY_ID: access.accessKeyId,
      ROOT_SECRET_ACCESS_KEY: access.secretAccessKey,
    },
    logFile,
    stopSignal: 'SIGTERM',
  });
  const endpoint = `http://127.0.0.1:${port}`;
  const deadline = Date.now() + 20_000;
  while (!(await isHealthy(`${endpoint}/health`))) {
    if (!server.running() || Date.now() > deadline) {
      await server.stop();
      throw new Error(
        `versitygw did not start on ${endpoint} (${await server.ended}). The end of its log, ${logFile}:\n` +
          (await lastLines(logFile)),
      );
    }
    await new Promise((wake) => setTimeout(wake, 20));
  }
  return {
    endpoint,
    ...access,
    stop: async () => {
      await server.stop('SIGTERM', 5000);
      if (options.port === undefined) givePortBack(port);
    },
  };
}

async function isHealthy(url: string): Promise<boolean> {
  return fetch(url).then(
    (answer) => answer.ok,
    () => false,
  );
}
