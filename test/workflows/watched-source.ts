import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Client, WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';

import { createActivities } from '../../activities/create.js';
import { withHeartbeat } from '../../activities/heartbeat.js';
import type { PlanStep } from '../../activities/plan.js';
import { openSources } from '../../activities/sources.js';
import { turns } from '../../activities/turns.js';
import { deliveryStart } from '../../config/delivery-start.js';
import { nameDay, nameJob } from '../../config/name-delivery.js';
import { deliveryAttributes } from '../../model/typed-attributes.js';
import type { DeliveryInput, DeliveryResult } from '../../model/control.js';
import { isSettled, type Delivery as LandfallDelivery, type Finality } from '../../model/delivery.js';
import { recordChange } from '../../warehouse/ledger-change.js';
import { openDelivery } from '../../warehouse/ledger-delivery.js';
import { vendors } from '../../vendors/registry.js';
import type { BatchLimits } from '../../warehouse/plan-request.js';
import { prepareSource } from '../../warehouse/prepare-source.js';
import type { S3Access } from '../support/s3.js';
import {
  prefix,
  testSource,
  workflowBundle,
  type TestSource,
  type TestSourceOptions,
} from '../support/landfall.js';
import { gate, type Gate } from './fake-landfall.js';
import { terminateAll } from './observe.js';

export type HeldStep = 'look' | 'plan' | 'stage' | 'publish';
export type Delivery = WorkflowHandle<(input: DeliveryInput) => Promise<DeliveryResult>>;

/** A source with a real ledger, store and activities, whose deliveries a test can watch and hold up. */
export interface WatchedSource extends Omit<TestSource, 'start'> {
  /** `<source>/<type>/<date>`, or as its vendor names it. */
  readonly id: (type: string, date: string) => string;
  /** Deliveries between their first and their last step. */
  readonly atWork: ReadonlySet<string>;
  readonly mostAtWork: () => number;
  /** Puts the marker of a day without parts. */
  readonly complete: (type: string, ...dates: string[]) => Promise<void>;
  /** Enters a delivery into the ledger. */
  readonly inLedger: (type: string, date: string, finality: Finality) => Promise<void>;
  readonly finality: (type: string, date: string) => Promise<string | undefined>;
  /** Keeps a delivery in its looks, or in another step, until the returned function is called. */
  readonly hold: (type: string, date: string, step?: HeldStep) => () => void;
  /** Keeps the ledger from taking changes of one kind until the returned function is called. */
  readonly holdChanges: (kind: string) => () => void;
  /** Lets something happen once before a step, or after the plan; it may throw what the step should throw. */
  readonly once: (step: HeldStep, happens: () => Promise<void>) => void;
  /** What was asked of each plan, in order. */
  readonly plans: readonly PlanStep[];
  /** How often a delivery was looked at. */
  readonly looks: (type: string, date: string) => number;
  /** Starts a delivery as the schedule does. */
  readonly startDelivery: (
    client: Client,
    type: string,
    date: string,
    changes?: Partial<DeliveryInput>,
  ) => Promise<Delivery>;
  /** The same of a job, by its name; `date` is that of the folder. */
  readonly startJob: (
    client: Client,
    uuid: string,
    date: string,
    changes?: Partial<DeliveryInput>,
  ) => Promise<Delivery>;
  /** How often the delivery of an id was looked at. */
  readonly looksAt: (deliveryId: string) => number;
  /** Lets a worker run while the test works. `drop` ends the workflows that are left. */
  readonly watch: <T>(environment: TestWorkflowEnvironment, work: () => Promise<T>) => Promise<T>;
}

export interface WatchedSourceOptions {
  /** Else one that no other test has. */
  readonly name?: string;
  readonly settings?: Record<string, unknown>;
  readonly batchLimits?: BatchLimits;
  readonly store?: S3Access;
  /** Opens the source where it is another than `testSource` gives. */
  readonly open?: (options: TestSourceOptions) => Promise<TestSource>;
}

export async function watchedSource(options: WatchedSourceOptions = {}): Promise<WatchedSource> {
  const { open = testSource } = options;
  const source = await renamed(await open(options), options.name);
  const { pool } = source.database;
  const atWork = new Set<string>();
  const held = new Map<string, Gate>();
  const looks = new Map<string, number>();
  const events = new Map<HeldStep, () => Promise<void>>();
  const plans: PlanStep[] = [];
  let most = 0;
  let watched: Client | undefined;
  const id = (type: string, date: string): string => nameDay(source.config, type, date).id;

  /** Still alive while it is held up. */
  const waitAt = async (name: string): Promise<void> => {
    const closed = held.get(name);
    if (closed) {
      await withHeartbeat(
        () => undefined,
        () => closed.passed,
      );
    }
  };

  const happening = async (step: HeldStep): Promise<void> => {
    const happens = events.get(step);
    events.delete(step);
    await happens?.();
  };

  const startNamed = async (
    client: Client,
    delivery: LandfallDelivery,
    changes: Partial<DeliveryInput>,
  ): Promise<Delivery> => {
    const { staticSummary, staticDetails, ...start } = deliveryStart(source.config, delivery, Date.now());
    const input = { ...start.input, heartbeatTimeout: 3_000, ...changes };
    return client.workflow.start(input.vendor, {
      workflowId: input.id,
      taskQueue: source.taskQueue,
      args: [input] as [DeliveryInput],
      // A test that ends early must not leave a workflow behind that runs for days.
      workflowExecutionTimeout: '10 minutes',
      typedSearchAttributes: deliveryAttributes(input),
      staticSummary,
      staticDetails,
    });
  };

  return {
    ...source,
    drop: async () => {
      if (watched) await terminateAll(watched, source.taskQueue);
      await source.drop();
    },
    id,
    atWork,
    mostAtWork: () => most,
    complete: async (type, ...dates) => {
      for (const date of dates)
        await source.bucket.put(`${prefix}type=${type}/date=${date}/_SUCCESS`, new Uint8Array());
    },
    inLedger: async (type, date, finality) => {
      await openDelivery(pool, nameDay(source.config, type, date), Date.now());
      const change = { kind: finality, finality, reason: `the test made it ${finality}`, request: 'test' };
      await recordChange(pool, { id: id(type, date), ...change });
    },
    finality: async (type, date) => {
      const { rows } = await pool.query<{ finality: string }>(
        'select finality from landfall.delivery where id = $1',
        [id(type, date)],
      );
      return rows[0]?.finality;
    },
    hold: (type, date, step = 'look') => {
      const closed = gate();
      held.set(`${step} ${id(type, date)}`, closed);
      return closed.open;
    },
    once: (step, happens) => events.set(step, happens),
    holdChanges: (kind) => {
      const closed = gate();
      held.set(kind, closed);
      return closed.open;
    },
    plans,
    startDelivery: (client, type, date, changes = {}) =>
      startNamed(client, nameDay(source.config, type, date), changes),
    startJob: (client, uuid, date, changes = {}) =>
      startNamed(client, nameJob(source.config, 'sessions', date, uuid), changes),
    looks: (type, date) => looks.get(id(type, date)) ?? 0,
    looksAt: (deliveryId) => looks.get(deliveryId) ?? 0,
    watch: async ({ nativeConnection: connection, client }, work) => {
      watched = client;
      const spool = await mkdtemp(join(tmpdir(), 'landfall-test-spool-'));
      const sources = openSources([source.config], pool);
      const real = createActivities({
        pool,
        source: sources.source,
        client,
        reader: { memoryLimit: '128MB', threads: 1, spillDirectory: spool },
        spoolDirectory: spool,
        readers: turns(1),
        batchLimits: options.batchLimits,
      });
      const worker = await Worker.create({
        connection,
        taskQueue: source.taskQueue,
        workflowBundle: await workflowBundle(),
        activities: {
          ...real,
          openDelivery: (input: Parameters<typeof real.openDelivery>[0]) => {
            atWork.add(input.id);
            most = Math.max(most, atWork.size);
            return real.openDelivery(input);
          },
          look: async (step: Parameters<typeof real.look>[0]) => {
            const name = step.delivery.id;
            looks.set(name, (looks.get(name) ?? 0) + 1);
            await waitAt(`look ${name}`);
            await happening('look');
            return real.look(step);
          },
          plan: async (step: PlanStep) => {
            plans.push(step);
            await waitAt(`plan ${step.delivery.id}`);
            const plan = await real.plan(step);
            await happening('plan');
            return plan;
          },
          stage: async (step: Parameters<typeof real.stage>[0]) => {
            await waitAt(`stage ${step.delivery.id}`);
            await happening('stage');
            return real.stage(step);
          },
          publish: async (step: Parameters<typeof real.publish>[0]) => {
            await waitAt(`publish ${step.delivery.id}`);
            await happening('publish');
            const counts = await real.publish(step);
            atWork.delete(step.delivery.id);
            return counts;
          },
          record: async (change: Parameters<typeof real.record>[0]) => {
            await waitAt(change.kind);
            const ledger = await real.record(change);
            if (change.finality !== undefined && isSettled(change.finality)) atWork.delete(change.id);
            return ledger;
          },
        } satisfies typeof real,
      });
      try {
        return await worker.runUntil(async () => {
          try {
            return await work();
          } finally {
            // A worker does not stop before its steps have.
            for (const { open } of held.values()) open();
          }
        });
      } finally {
        await sources.close();
        await rm(spool, { recursive: true, force: true });
      }
    },
  };
}

async function renamed(source: TestSource, name: string | undefined): Promise<TestSource> {
  if (name === undefined) return source;
  const config = { ...source.config, name, schema: source.config.vendor };
  await prepareSource(source.database.pool, config, vendors[config.vendor].scripts);
  return {
    ...source,
    config,
    taskQueue: `queue-${name}`,
    input: (type, date, changes) => ({
      ...source.input(type, date, changes),
      ...nameDay(config, type, date),
    }),
  };
}
