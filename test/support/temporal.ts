import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { freePort } from '../../sandbox/ports.js';
import { temporalCli } from '../../sandbox/temporal-cli.js';
import {
  startTemporal,
  type SearchAttributeType,
  type TemporalServer,
} from '../../sandbox/temporal-server.js';
import { temporalTestServer } from '../../sandbox/temporal-test-server.js';
import { atTheEnd, beforeAllTests, progress, sharedByTheRun } from './shared.js';

/** What Landfall's workflows set; the servers refuse attributes that nobody registered. */
export const SEARCH_ATTRIBUTES = {
  LandfallSource: 'Keyword',
  LandfallVendor: 'Keyword',
  DeliveryDate: 'Datetime',
  Finality: 'Keyword',
} as const satisfies Readonly<Record<string, SearchAttributeType>>;

/** IndexedValueType of Temporal's API. */
const ATTRIBUTE_NUMBERS = { Keyword: 2, Datetime: 6 } as const;

/** The two programs, had once for the run, before its first test. */
export const devServerProgram = sharedByTheRun(() => temporalCli(progress));
export const testServerProgram = sharedByTheRun(() => temporalTestServer(progress));
beforeAllTests(devServerProgram);
beforeAllTests(testServerProgram);

export interface DevServer extends Pick<TemporalServer, 'address' | 'uiUrl' | 'namespace'> {
  /** Holds `client`, `connection` and `nativeConnection`. Closed at the end of the run, not by tests. */
  readonly environment: TestWorkflowEnvironment;
}

/**
 * The one Temporal dev server of a run, for what the time-skipping server cannot do: visibility, schedules,
 * heartbeat timeouts, continue-as-new with open children. Each test uses its own task queue and workflow ids.
 */
export const devServer: () => Promise<DevServer> = sharedByTheRun(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'landfall-test-temporal-'));
  atTheEnd(() => rm(directory, { recursive: true, force: true }));
  const server = await startTemporal({
    binary: await devServerProgram(),
    // The usual ones are left to a sandbox that someone starts while tests run.
    port: await freePort(),
    uiPort: await freePort(),
    searchAttributes: SEARCH_ATTRIBUTES,
    logFile: join(directory, 'temporal.log'),
  });
  atTheEnd(server.stop);
  const { address, uiUrl, namespace } = server;
  const environment = await TestWorkflowEnvironment.createFromExistingServer({ address, namespace });
  atTheEnd(() => environment.teardown());
  return { address, uiUrl, namespace, environment };
});

/**
 * A time-skipping server of one's own, in 0.2 s. `teardown` it in an `after` hook, when no `result()` is
 * pending any more: one that is still open then ends the process.
 */
export async function timeSkipping(): Promise<TestWorkflowEnvironment> {
  const environment = await TestWorkflowEnvironment.createTimeSkipping({
    server: { executable: { type: 'existing-path', path: await leashedTestServer() } },
  });
  await environment.connection.operatorService.addSearchAttributes({
    namespace: environment.namespace ?? 'default',
    searchAttributes: Object.fromEntries(
      Object.entries(SEARCH_ATTRIBUTES).map(([name, type]) => [name, ATTRIBUTE_NUMBERS[type]]),
    ),
  });
  // One that a test forgets would keep the run from ending; the SDK complains about a second one.
  const teardown = environment.teardown.bind(environment);
  let gone: Promise<void> | undefined;
  environment.teardown = () => (gone ??= teardown());
  atTheEnd(() => environment.teardown());
  return environment;
}

/**
 * The SDK starts this server itself and leaves it running when the test process dies. So the SDK is given a
 * script that becomes the server, and leaves behind a watcher that ends it once the process is gone.
 */
const leashedTestServer = sharedByTheRun(async () => {
  const binary = await testServerProgram();
  const directory = await mkdtemp(join(tmpdir(), 'landfall-test-server-'));
  atTheEnd(() => rm(directory, { recursive: true, force: true }));
  const script = join(directory, 'temporal-test-server');
  await writeFile(
    script,
    `#!/bin/sh
parent=${process.pid}
server=$$
(
  while kill -0 "$parent" && kill -0 "$server"; do sleep 1; done
  kill "$server"
) </dev/null >/dev/null 2>&1 &
exec '${binary.replaceAll("'", `'\\''`)}' "$@"
`,
  );
  await chmod(script, 0o755);
  return script;
});
