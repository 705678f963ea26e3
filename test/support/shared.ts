import type { Progress } from '../../sandbox/progress.js';
import { endOpened, opener, sharing } from './opened.js';

type Ending = () => void | Promise<void>;

interface Registered {
  readonly end: Ending;
  /** The test that registered it; undefined: what tests share. */
  readonly by: string | undefined;
  /** Where in the code it was registered. */
  readonly where: string;
}
let endings: Registered[] = [];
let underWay: Registered | undefined;

/**
 * Registers what must be shut down or deleted: when the test is over, passed or failed, and when the run is over for what
 * tests share. The last one registered ends first.
 */
export function atTheEnd(end: Ending): void {
  const [, , , where = ''] = (new Error().stack ?? '').split('\n');
  endings.push({ end, by: opener(), where: where.trim() });
}

/**
 * Something expensive that all tests of a run share, made when the first test asks for it. A failure is kept
 * too: forty tests should not each wait for a build that fails.
 */
export function sharedByTheRun<T>(start: () => Promise<T>): () => Promise<T> {
  let started: Promise<T> | undefined;
  return () => (started ??= sharing(start));
}

type Preparation = () => Promise<unknown>;
const preparations: Preparation[] = [];

/**
 * Registers, while test files are being loaded, what may take minutes on a new machine: a download, a build.
 * It is done before the first test, where no timeout runs.
 */
export function beforeAllTests(prepare: Preparation): void {
  preparations.push(prepare);
}

/** A failure is left to the tests that need what could not be had. */
export async function prepareEverything(): Promise<void> {
  for (const prepare of preparations) await prepare().catch(() => undefined);
}

/**
 * Ends what the test has started, whatever fails on the way, and then throws the first failure. Gives the names of what
 * nobody had registered. Tests call it whose own tidying up needs that; it is called after every test.
 */
export async function endTest(): Promise<readonly string[]> {
  await endAll(({ by }) => by !== undefined);
  return endOpened('of tests');
}

/** Ends everything, whatever fails on the way, and then throws the first failure. */
export async function endEverything(): Promise<readonly string[]> {
  await endAll(() => true);
  return endOpened('all');
}

async function endAll(which: (registered: Registered) => boolean): Promise<void> {
  const failures: unknown[] = [];
  for (;;) {
    const next = endings.findLast(which);
    if (next === undefined) break;
    endings = endings.filter((other) => other !== next);
    underWay = next;
    try {
      await next.end();
    } catch (error) {
      failures.push(error);
    }
    underWay = undefined;
  }
  if (failures.length > 0) throw failures[0];
}

/** What was registered and has not ended, one line for each; first what is being ended. */
export function listEndings(): readonly string[] {
  return [...(underWay ? [underWay] : []), ...endings].map(({ where }) => where);
}

/** Shown between the lines of the reporter, so that a long first run is seen to be alive. */
export const progress: Progress = (line) => {
  console.log(`    ${line}`);
};
