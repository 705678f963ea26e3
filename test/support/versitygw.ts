import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { S3Server } from '../../sandbox/s3.js';
import { startVersitygw, versitygw } from '../../sandbox/versitygw.js';
import { atTheEnd, beforeAllTests, progress, sharedByTheRun } from './shared.js';

const program = sharedByTheRun(() => versitygw(progress));
beforeAllTests(program);

/**
 * The one versitygw of a run, for what s3rver does not do (If-Match). A string says why there is none; a test
 * then skips itself.
 */
export const versityS3: () => Promise<S3Server | string> = sharedByTheRun(async () => {
  const found = await program();
  if (found.kind === 'absent') return found.reason;
  const directory = await mkdtemp(join(tmpdir(), 'landfall-test-versitygw-'));
  const server = await startVersitygw({ binary: found.path, directory, buckets: [] });
  atTheEnd(async () => {
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  });
  return server;
});
