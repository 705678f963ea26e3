import type { Context, RootHookObject } from 'mocha';
import { whenParentIsGone } from './leash.mjs';
import { noticeOpened, setTest } from './opened.js';
import { endEverything, endTest, prepareEverything } from './shared.js';
import { quietRuntime, shutDownRuntime } from './runtime.js';
import { watchExit, watchRun } from './watchdog.js';

let current: string | undefined;
/** What passing tests did not end themselves. */
const left: string[] = [];

/** Only programs are provided here: each server starts when the first test asks for it. */
export async function mochaGlobalSetup(): Promise<void> {
  // Until Mocha knows better: a run that breaks off has not passed.
  process.exitCode = 1;
  noticeOpened();
  watchRun(() => current);
  // The package manager already says which Node this project needs.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
  quietRuntime();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, interrupted);
  whenParentIsGone(interrupted);
  await prepareEverything();
}

let interruptedAt: number | undefined;

/**
 * One Ctrl-C arrives several times: from the terminal, and from Mocha, which passes it on as two signals. The
 * first begins to tidy up; one that comes a second later means that the person does not want to wait.
 */
function interrupted(): void {
  if (interruptedAt !== undefined) {
    if (Date.now() - interruptedAt > 1000) process.exit(130);
    return;
  }
  interruptedAt = Date.now();
  watchExit();
  // Calls that are still waiting for a server throw as it goes, from timers; Mocha would end the process.
  process.removeAllListeners('uncaughtException').on('uncaughtException', () => undefined);
  process.removeAllListeners('unhandledRejection').on('unhandledRejection', () => undefined);
  void endEverything()
    .catch(() => undefined)
    .finally(() => process.exit(130));
}

/** As hooks, so that a server that does not stop, or a leaked connection, fails the run. */
export const mochaHooks: RootHookObject = {
  beforeEach(this: Context) {
    current = this.currentTest?.fullTitle();
    setTest(current);
  },
  async afterEach(this: Context) {
    this.timeout(60_000);
    setTest(undefined);
    const names = await endTest();
    if (this.currentTest?.isPassed()) left.push(...names);
  },
  async afterAll(this: Context) {
    this.timeout(60_000);
    left.push(...(await endEverything()));
    if (left.length > 0) throw new Error(`These were left open, and were ended:\n${left.join('\n')}`);
  },
};

/** Once more, for what was registered after the hook or when hooks did not run. */
export async function mochaGlobalTeardown(): Promise<void> {
  watchExit();
  await endEverything();
  await shutDownRuntime();
}
