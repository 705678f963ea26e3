import type { Progress } from '../../sandbox/progress.js';

type Ending = () => void | Promise<void>;
const endings: Ending[] = [];

/** Registers what must be shut down or deleted when the run is over. The last one registered ends first. */
export function atTheEnd(ending: Ending): void {
  endings.push(ending);
}

/**
 * Something expensive that all tests of a run share, made when the first test asks for it. A failure is kept
 * too: forty tests should not each wait for a build that fails.
 */
export function sharedByTheRun<T>(start: () => Promise<T>): () => Promise<T> {
  let started: Promise<T> | undefined;
  return () => (started ??= start());
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

/** Ends everything, whatever fails on the way, and then throws the first failure. */
export async function endEverything(): Promise<void> {
  const failures: unknown[] = [];
  for (let ending = endings.pop(); ending !== undefined; ending = endings.pop()) {
    try {
      await ending();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}

/** Shown between the lines of the reporter, so that a long first run is seen to be alive. */
export const progress: Progress = (line) => {
  console.log(`    ${line}`);
};
