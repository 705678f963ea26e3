/** Monetate days whose files come one by one. */

import { rm } from 'node:fs/promises';

import type { Client } from '@temporalio/client';

import type { DeliveryInput } from '../../model/control.js';
import { filesOfFolder, planFiles } from '../../sandbox/monetate/day.js';
import { fileLines, gzipLines, type MonetateFile } from '../../sandbox/monetate/files.js';
import { eventually } from '../support/eventually.js';
import { monetateSource, type MonetateSource } from '../support/monetate.js';
import { putFiles } from '../support/monetate-day.js';
import { resultOf } from '../workflows/observe.js';
import type { Delivery, WatchedSource } from '../workflows/watched-source.js';
import type { Scenario } from './scenarios.js';

const date = '2026-03-01';
const files = planFiles([{ date, sessions: 16 }], { filesPerInterval: 1 });
const own = filesOfFolder(files, date);
const night = filesOfFolder(files, '2026-03-02')[0]!;

interface Visits {
  /** Where the vendor's files lie. */
  readonly vendor: MonetateSource;
  readonly ended: () => Promise<unknown>;
  /** Starts the day once more, as the schedule does. */
  readonly again: () => Promise<void>;
  /** Returns when the day was looked at so often. */
  readonly looked: (times: number) => Promise<void>;
}

/** Files that lie there, and what happens from the first look on. */
function day(
  there: readonly MonetateFile[],
  act: (visits: Visits, started: Delivery) => Promise<unknown>,
  { changes, ...options }: Partial<Scenario> & { readonly changes?: Partial<DeliveryInput> } = {},
): Scenario {
  let vendor: MonetateSource;
  return {
    settings: { vendor: 'monetate', settleFor: '1 second' },
    ...options,
    // An API of names comes with a store that nobody reads from.
    open: async ({ settings = {}, ...others }) => {
      const mine = Object.fromEntries(Object.entries(settings).filter(([name]) => name !== 'store'));
      return (vendor = await monetateSource({ schema: 'experiments', ...mine }, others));
    },
    play: async (source: WatchedSource, client: Client) => {
      await putFiles(vendor, there);
      const soon = { pollEvery: 1_000, deadline: Date.now() + 3_600_000 };
      let started = await source.startDelivery(client, 'sessions', date, { ...soon, ...changes });
      const again = async (): Promise<void> => {
        started = await source.startDelivery(client, 'sessions', date, { ...soon, ...changes });
      };
      const looked = async (times: number): Promise<void> => {
        await eventually(() => source.looks('sessions', date) >= times, { timeoutMs: 20_000 });
      };
      await act({ vendor, ended: () => resultOf(started), again, looked }, started);
      // How it ends is part of the history.
      await resultOf(started, 60_000).catch(() => undefined);
      return started;
    },
  };
}

const nothing = (): Promise<void> => Promise.resolve();
const part = (nth: number): readonly MonetateFile[] => own.filter((_, index) => index % 3 === nth);

export const monetateScenarios: Readonly<Record<string, Scenario>> = {
  'monetate-fills-up': day([...part(0), night], async ({ vendor, looked }) => {
    await looked(4);
    await putFiles(vendor, part(1));
    await looked(6);
    await putFiles(vendor, part(2));
    await looked(9);
    // Nobody has loaded it: it was the next day's.
    await rm(vendor.pathOf(night.key));
  }),
  'monetate-breaks-off': day(part(0), async ({ vendor, looked }) => {
    const [broken] = part(1);
    const whole = await gzipLines(fileLines(broken!));
    await vendor.put(broken!.key, whole.subarray(0, whole.length - 20));
    await looked(6);
    await putFiles(vendor, [broken!]);
  }),
  'monetate-changes-when-final': day(part(0), async ({ vendor, again, ended }) => {
    await ended();
    await putFiles(vendor, part(1));
    await again();
  }),
  'monetate-is-empty': day([night], async ({ vendor, looked }) => {
    await looked(2);
    await rm(vendor.pathOf(night.key));
  }),
  'monetate-does-not-show': day([], nothing, { changes: { deadline: Date.now() - 1 } }),
  'monetate-is-accepted': day(part(0), (_, started) => started.signal('accept', { reason: 'as it is' }), {
    changes: { closesAt: Date.now() + 3_600_000 },
  }),
  'monetate-is-named': day(part(0), nothing, { names: { variants: 2 } }),
  'monetate-waits-for-long': day(
    [...part(0), night],
    async ({ vendor, looked }) => {
      await looked(3);
      await putFiles(vendor, part(1));
      await looked(6);
      await rm(vendor.pathOf(night.key));
    },
    { longHistory: true },
  ),
};
