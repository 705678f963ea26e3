/** What Dynatrace sends: batches, and the inbox that they are gathered from. */

import type { Client, WorkflowHandle } from '@temporalio/client';

import {
  arrivedSignal,
  inboxId,
  inboxWorkflow,
  type InboxInput,
  type InboxStatus,
} from '../../model/inbox.js';
import { dynatraceSource, sessions, type DynatraceSource } from '../support/dynatrace.js';
import { eventually } from '../support/eventually.js';
import { inputOf, resultOf, runsOf } from '../workflows/observe.js';
import type { WatchedSource } from '../workflows/watched-source.js';
import type { Scenario } from './scenarios.js';

interface Sent {
  readonly source: WatchedSource;
  readonly client: Client;
  /** Puts bodies into the inbox, and tells of them. */
  readonly send: (...bodies: readonly string[]) => Promise<WorkflowHandle>;
  /** Returns when so many deliveries are final and nothing is in flight. */
  readonly loaded: (deliveries: number) => Promise<void>;
}

function inbox(
  act: (sent: Sent) => Promise<{ workflowId: string }>,
  { settings, ...options }: Partial<Scenario> = {},
): Scenario {
  let vendor: DynatraceSource;
  return {
    ...options,
    settings: { vendor: 'dynatrace', gatherWithin: '500 ms', gatherBytes: '3 kB', ...settings },
    open: async ({ settings: mine = {} }) =>
      (vendor = await dynatraceSource({ ...mine, schema: 'experiments' })),
    play: async (source, client) => {
      const { name } = source.config;
      const workflow = client.workflow.getHandle(inboxId(name));
      const input: InboxInput = {
        ...{ source: name, vendor: 'dynatrace' },
        gatherBytes: 3_000,
        gatherWithin: 500,
      };
      const send = async (...bodies: readonly string[]): Promise<WorkflowHandle> => {
        for (const body of bodies) {
          const id = await vendor.receive(body);
          await source.database.pool.query('update landfall.inbox set source = $1 where id = $2', [name, id]);
        }
        const bytes = bodies.join('').length;
        return client.workflow.signalWithStart(inboxWorkflow, {
          ...{
            workflowId: inboxId(name),
            taskQueue: source.taskQueue,
            args: [{ ...input, askEvery: 1_000 }],
          },
          ...{ signal: arrivedSignal, signalArgs: [{ bytes }], workflowExecutionTimeout: '10 minutes' },
        });
      };
      const loaded = async (deliveries: number): Promise<void> => {
        const sql = `select count(*)::integer as final from landfall.delivery where finality = 'final'`;
        await eventually(
          async () => {
            const { inFlight, depth } = await workflow.query<InboxStatus>('status');
            const final = (await source.rows(sql))[0]?.['final'];
            return final === deliveries && inFlight.length === 0 && depth.bodies === 0;
          },
          { timeoutMs: 60_000, everyMs: 100 },
        );
      };
      return act({ source, client, send, loaded });
    },
  };
}

/** It never ends by itself. */
const cancelled = async (handle: WorkflowHandle): Promise<{ workflowId: string }> => {
  await handle.cancel();
  await resultOf(handle).catch(() => undefined);
  return handle;
};

const delivery = async ({ source, client }: Sent): Promise<{ workflowId: string }> => {
  const [{ id } = {}] = await source.rows('select id from landfall.delivery order by created_at limit 1');
  const handle = client.workflow.getHandle(id as string);
  await resultOf(handle).catch(() => undefined);
  return handle;
};

export const dynatraceScenarios: Readonly<Record<string, Scenario>> = {
  'inbox-is-gathered': inbox(async ({ send, loaded }) => {
    await send(sessions(1, 20));
    await loaded(1);
    const handle = await send(...Array.from({ length: 5 }, (_, nth) => sessions(nth * 20, 30)));
    await loaded(6);
    return cancelled(handle);
  }),
  'inbox-is-paused': inbox(async ({ send, loaded }) => {
    const handle = await send(sessions(1, 20));
    await handle.signal('pause', { reason: 'maintenance' });
    await send(sessions(21, 20));
    await handle.signal('resume', { reason: 'done' });
    await loaded(2);
    return cancelled(handle);
  }),
  'inbox-loses-a-delivery': inbox(async ({ source, client, send, loaded }) => {
    let held = '';
    source.once('stage', async () => {
      const [{ id } = {}] = await source.rows('select id from landfall.delivery');
      held = id as string;
      await client.workflow.getHandle(held).terminate('by hand');
      throw new Error('its worker is gone');
    });
    const handle = await send(sessions(1, 20));
    await loaded(1);
    return cancelled(handle);
  }),
  'inbox-for-long': inbox(
    async ({ client, send, loaded }) => {
      const handle = await send(sessions(1, 20));
      for (let sent = 1; sent < 6; sent += 1) {
        await loaded(sent);
        await send(sessions(sent * 20, 20));
      }
      await loaded(6);
      await eventually(async () => (await runsOf(client, handle.workflowId)).length > 1, {
        timeoutMs: 20_000,
      });
      return cancelled(client.workflow.getHandle(handle.workflowId));
    },
    { longHistory: true },
  ),
  'batch-is-loaded': inbox(async (sent) => {
    const handle = await sent.send(sessions(1, 20), 'no JSON');
    await sent.loaded(1);
    await handle.terminate('its history is not wanted');
    return delivery(sent);
  }),
  'batch-is-damaged': inbox(async (sent) => {
    sent.source.once('stage', async () => {
      await sent.source.rows(`update landfall.inbox set body = substr(body, 2)`);
    });
    const handle = await sent.send(sessions(1, 20));
    await eventually(async () => (await handle.query<InboxStatus>('status')).failed === 1, {
      timeoutMs: 20_000,
    });
    await handle.terminate('its history is not wanted');
    return delivery(sent);
  }),
  'batch-is-reprocessed-without-bodies': inbox(async (sent) => {
    const handle = await sent.send(sessions(1, 20));
    await sent.loaded(1);
    await handle.terminate('its history is not wanted');
    const { workflowId } = await delivery(sent);
    await sent.source.rows('delete from landfall.inbox');
    await sent.client.workflow.signalWithStart('dynatrace', {
      ...{
        workflowId,
        taskQueue: sent.source.taskQueue,
        args: [await inputOf(sent.client.workflow.getHandle(workflowId))],
      },
      ...{
        signal: 'reprocess',
        signalArgs: [{ reason: 'once more' }],
        workflowExecutionTimeout: '10 minutes',
      },
    });
    return delivery(sent);
  }),
};
