/** An Optimizely day that scenarios are about, and what is done to it. */

import type { Client } from '@temporalio/client';

import { writeDay, type WrittenDay } from '../../sandbox/optimizely/day.js';
import { eventually } from '../support/eventually.js';
import { inTemporaryFolder, prefix } from '../support/landfall.js';
import { resultOf } from '../workflows/observe.js';
import type { Delivery, WatchedSource } from '../workflows/watched-source.js';
import type { Scenario } from './scenarios.js';

export const date = '2026-03-01';
export type Play = (source: WatchedSource, client: Client) => Promise<Delivery>;

export function delivery(play: Play, options: Omit<Scenario, 'play'> = {}): Scenario {
  return {
    ...options,
    play: async (source, client) => {
      const started = await play(source, client);
      // How it ends is part of the history.
      await resultOf(started).catch(() => undefined);
      return started;
    },
  };
}

/** A day of 12 files. */
export const upload = (source: WatchedSource): Promise<WrittenDay> =>
  inTemporaryFolder(async (directory) => {
    const day = await writeDay({ directory, type: 'events', date, rows: 400, parts: 2 });
    await source.upload(directory);
    return day;
  });

export const start: Play = (source, client) =>
  source.startDelivery(client, 'events', date, { deadline: Date.now() + 3_600_000, pollEvery: 1_000 });

/** A final day of which the vendor removes all parts from a number on; it is looked at again, and acted on. */
export const shrinking = (
  left: number,
  act: (source: WatchedSource, started: Delivery) => Promise<void>,
  options: Omit<Scenario, 'play'> = {},
): Scenario =>
  delivery(async (source, client) => {
    const { parts } = await upload(source);
    await resultOf(await start(source, client));
    for (const { key } of parts.slice(left)) await source.bucket.remove(prefix + key);
    const started = await start(source, client);
    await act(source, started);
    return started;
  }, options);

/** What the ledger says of a version of the day that is held. */
export const untilHeld = async (source: WatchedSource): Promise<void> => {
  const held = async (): Promise<boolean> =>
    (await source.rows('select from landfall.delivery where held is not null')).length > 0;
  await eventually(held, { timeoutMs: 20_000 });
};

export const looked = async (source: WatchedSource, times: number): Promise<void> => {
  await eventually(() => source.looks('events', date) >= times, { timeoutMs: 10_000 });
};
