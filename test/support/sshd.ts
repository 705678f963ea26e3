import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Context } from 'mocha';
import { sshd, startSshd, type Sshd } from '../../sandbox/sshd.js';
import { atTheEnd, beforeAllTests, progress, sharedByTheRun } from './shared.js';
import { skip } from './skip.js';

/** Had before the first test: in CI it may have to be installed. */
const program = sharedByTheRun(() => sshd(progress));
beforeAllTests(program);

/** OpenSSH's server with these lines in its configuration, until the end of the run. A string says why there is none. */
export async function newSshd(...settings: readonly string[]): Promise<Sshd | string> {
  const binary = await program();
  if (binary === undefined) return "there is no sshd: install OpenSSH's server, or set SSHD_PATH";
  const directory = await mkdtemp(join(tmpdir(), 'landfall-test-sshd-'));
  await chmod(directory, 0o755);
  const server = await startSshd({ binary, directory, settings });
  atTheEnd(async () => {
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  });
  return server;
}

/** Ends a test that cannot be done without sshd: in CI as a failure, elsewhere as skipped. */
export function withoutSshd(test: Context, reason: string): never {
  if (process.env['CI']) throw new Error(`SFTP cannot be tested, ${reason}.`);
  return skip(test, `${reason}.`);
}

/** The one sshd of a run. */
export const testSshd: () => Promise<Sshd | string> = sharedByTheRun(() => newSshd());
