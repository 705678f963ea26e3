/** `inFlight` as workflows call it, on a clock that costs nothing. */

import {
  ApplicationFailure,
  CancellationScope,
  condition,
  isCancellation,
  sleep,
} from '@temporalio/workflow';

import { inFlight } from '../../workflows/in-flight.js';

export interface Lanes {
  readonly first: number;
  readonly end: number;
  readonly limit: number;
  /** Hours that each number takes; 1 where there are none. */
  readonly hours?: Readonly<Record<number, number>>;
  /** Numbers that fail when their time is up. */
  readonly failing?: readonly number[];
  /** Hours after which nothing may start any more. */
  readonly closes?: number;
  /** From and until which hour nothing may start. */
  readonly pause?: readonly [number, number];
  /** Hour at which everything is cancelled from outside. */
  readonly cancelled?: number;
}

export interface Run {
  readonly next?: number;
  readonly error?: string;
  readonly started: readonly number[];
  readonly ended: readonly number[];
  readonly cancelled: readonly number[];
  readonly most: number;
  /** Hours in all. */
  readonly took: number;
}

const hour = 3_600_000;

export async function lanes(given: Lanes): Promise<Run> {
  const start = Date.now();
  const passed = (): number => (Date.now() - start) / hour;
  const started: number[] = [];
  const ended: number[] = [];
  const cancelled: number[] = [];
  let running = 0;
  let most = 0;

  const hold = async (): Promise<boolean> => {
    const [from, until] = given.pause ?? [0, 0];
    if (passed() >= from && passed() < until) await condition(() => false, (until - passed()) * hour);
    return given.closes === undefined || passed() < given.closes;
  };
  const work = async (number: number): Promise<void> => {
    started.push(number);
    most = Math.max(most, ++running);
    try {
      await sleep((given.hours?.[number] ?? 1) * hour);
      if (given.failing?.includes(number)) throw ApplicationFailure.nonRetryable(`${number} failed`);
      ended.push(number);
    } catch (error) {
      if (isCancellation(error)) cancelled.push(number);
      throw error;
    } finally {
      running -= 1;
    }
  };

  const scope = new CancellationScope();
  if (given.cancelled !== undefined) void sleep(given.cancelled * hour).then(() => scope.cancel());
  let outcome: { next: number } | { error: string };
  try {
    const next = await scope.run(() => inFlight(given.first, given.end, given.limit, hold, work));
    outcome = { next };
  } catch (error) {
    outcome = { error: isCancellation(error) ? 'cancelled' : (error as Error).message };
  }
  return { ...outcome, started, ended, cancelled, most, took: Math.round(passed()) };
}
