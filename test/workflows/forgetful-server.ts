import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { TestWorkflowEnvironment } from '@temporalio/testing';

import { freePort } from '../../sandbox/ports.js';
import { startTemporal } from '../../sandbox/temporal-server.js';
import { atTheEnd, sharedByTheRun } from '../support/shared.js';
import { devServerProgram, SEARCH_ATTRIBUTES, type DevServer } from '../support/temporal.js';

/** Events after which this server suggests to continue as new; others do so after 4,096. */
export const shortHistory = 40;

/** A dev server that finds histories long soon. */
export const forgetfulServer: () => Promise<Pick<DevServer, 'address' | 'environment'>> = sharedByTheRun(
  async () => {
    const directory = await mkdtemp(join(tmpdir(), 'landfall-test-temporal-'));
    atTheEnd(() => rm(directory, { recursive: true, force: true }));
    const server = await startTemporal({
      binary: await devServerProgram(),
      port: await freePort(),
      uiPort: await freePort(),
      searchAttributes: SEARCH_ATTRIBUTES,
      logFile: join(directory, 'temporal.log'),
      extraArgs: ['--dynamic-config-value', `limit.historyCount.suggestContinueAsNew=${shortHistory}`],
    });
    atTheEnd(server.stop);
    const { address, namespace } = server;
    const environment = await TestWorkflowEnvironment.createFromExistingServer({ address, namespace });
    atTheEnd(() => environment.teardown());
    return { address, environment };
  },
);
