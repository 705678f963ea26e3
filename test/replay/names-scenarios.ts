/** Runs that ask Monetate what ids are called. */

import type { Client, WorkflowHandle } from '@temporalio/client';

import { namesStart, namesWorkflow } from '../../model/names.js';
import type { MonetateApiServer } from '../../sandbox/monetate/api.js';
import { account, madeVariants, openNamesPlace, privateKey, username } from '../support/monetate-api.js';
import { eventually } from '../support/eventually.js';
import { resultOf } from '../workflows/observe.js';
import type { WatchedSource } from '../workflows/watched-source.js';
import type { Scenario } from './scenarios.js';

/** The API of a scenario: each variant is a page. */
export interface NamesApi {
  readonly settings: object;
  readonly stop: () => Promise<void>;
}

export async function namesApi({ names }: Scenario): Promise<NamesApi | undefined> {
  if (names === undefined) return undefined;
  const { server } = await openNamesPlace({ names: madeVariants(names.variants), largestPage: 1 });
  names.prepare?.(server);
  const store = {
    ...{ type: 'sftp', host: '127.0.0.1', username: 'u', password: 'p' },
    ...{ root: '1/raw_data/session_stream/', hostKey: `SHA256:${'A'.repeat(43)}` },
  };
  const metadata = { account, username, privateKey, url: server.url };
  return { settings: { store, metadata, maskKey: 'k'.repeat(32) }, stop: server.stop };
}

const asked = (
  prepare: (server: MonetateApiServer) => void = () => undefined,
  {
    day,
    act,
    ...options
  }: Partial<Scenario> & {
    readonly day?: string;
    readonly act?: (started: WorkflowHandle) => Promise<unknown>;
  } = {},
): Scenario => ({
  settings: { vendor: 'monetate' },
  names: { variants: 3, prepare },
  ...options,
  play: async (source: WatchedSource, client: Client) => {
    const { workflowId, input } = namesStart('experiments', day);
    const started = await client.workflow.start(namesWorkflow, {
      ...{ workflowId, taskQueue: source.taskQueue, args: [input] },
      workflowExecutionTimeout: '10 minutes',
    });
    await act?.(started);
    // How it ends is part of the history.
    await resultOf(started, 60_000).catch(() => undefined);
    return started;
  },
});

const underWay = async (started: WorkflowHandle): Promise<void> => {
  await eventually(async () => ((await started.describe()).raw.pendingActivities ?? []).length > 0, {
    timeoutMs: 20_000,
  });
};

export const namesScenarios: Readonly<Record<string, Scenario>> = {
  'names-are-read': asked(),
  'names-of-a-day': asked(undefined, { day: '2026-03-01' }),
  'names-are-refused': asked((server) => server.fail('variant', { kind: 'answer', status: 403 })),
  'names-are-cancelled': asked(
    (server) => server.fail('variant', { kind: 'answer', status: 503, headers: { 'retry-after': '30' } }, 9),
    {
      act: async (started) => {
        await underWay(started);
        await started.cancel();
      },
    },
  ),
  'names-for-long': asked(undefined, { names: { variants: 12 }, longHistory: true }),
};
