import { chmod, readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { cached } from './cache.js';
import { run } from './commands.js';
import { whileWorking, type Progress } from './progress.js';

export interface SdkServer {
  readonly kind: 'dev-server' | 'time-skipping';
  /** What it is called in progress lines. */
  readonly title: string;
  /** Without the leading "v". */
  readonly version: string;
}

/**
 * Starts a server once from the Temporal SDK's own download. In a process of its own: the SDK's runtime takes
 * over signals and logging of the process it lives in, before that process could configure it.
 */
const START_ONCE = `
const { TestWorkflowEnvironment } = require(process.argv[1]);
const [, , kind, downloadDir, version] = process.argv;
const server = { executable: { type: 'cached-download', downloadDir, version } };
const start = kind === 'dev-server' ? 'createLocal' : 'createTimeSkipping';
TestWorkflowEnvironment[start]({ server })
  .then((environment) => environment.teardown())
  .catch((error) => { console.error(error.message); process.exitCode = 1; });
`;

/** A connection that is swallowed by a firewall gives no error for minutes: silence this long counts as one. */
const SILENCE_MS = 20_000;
const NO_ANSWER = 'no answer from the download server';
const TOO_LONG_MS = 600_000;

/** Lets the Temporal SDK download one of its servers, and puts that into the cache as `name`. */
export async function sdkDownload(server: SdkServer, name: string, progress: Progress): Promise<string> {
  let testing: string;
  try {
    testing = createRequire(import.meta.url).resolve('@temporalio/testing');
  } catch {
    throw new Error('the npm package @temporalio/testing is not installed');
  }
  return cached(name, progress, async (workDirectory) => {
    const failures: string[] = [];
    // The release we know first, then the one that the SDK itself would choose.
    for (const version of [`v${server.version}`, 'default']) {
      const failure = await whileWorking(
        progress,
        `Downloading ${server.title} (once)`,
        startOnce(testing, server.kind, workDirectory, version),
      );
      const made = await downloaded(workDirectory);
      if (failure === '' && made !== undefined) {
        await chmod(made, 0o755);
        return made;
      }
      failures.push(failure === '' ? 'nothing was downloaded' : failure);
      // Without an answer to the first request there is none to a second.
      if (failure.includes('error sending request') || failure.startsWith(NO_ANSWER)) break;
    }
    throw new Error(failures[0] ?? 'nothing was downloaded');
  });
}

async function startOnce(
  testing: string,
  kind: SdkServer['kind'],
  downloadDir: string,
  version: string,
): Promise<string> {
  const abort = new AbortController();
  const silence = setTimeout(() => {
    void readdir(downloadDir).then((entries) => {
      if (entries.length === 0) abort.abort();
    });
  }, SILENCE_MS);
  const started = await run(process.execPath, ['-e', START_ONCE, testing, kind, downloadDir, version], {
    signal: abort.signal,
    timeoutMs: TOO_LONG_MS,
    cwd: '/',
  });
  clearTimeout(silence);
  if (abort.signal.aborted) return `${NO_ANSWER} in ${SILENCE_MS / 1000} s`;
  return started.failure;
}

async function downloaded(directory: string): Promise<string | undefined> {
  const [entry] = (await readdir(directory)).filter((name) => !name.endsWith('.downloading'));
  return entry === undefined ? undefined : join(directory, entry);
}
