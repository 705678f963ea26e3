import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';

import type { DeliveryInput, DeliveryResult, DeliverySignal } from '../../model/control.js';
import { workflowBundle } from '../support/landfall.js';
import type { FakeLandfall } from './fake-landfall.js';

const hour = 3_600_000;

export type Delivery = WorkflowHandle<(input: DeliveryInput) => Promise<DeliveryResult>>;

/** Starts a delivery, lets the test act on it, and gives its result. */
export type FakeDelivery = (
  act?: (delivery: Delivery) => Promise<void>,
  changes?: Partial<DeliveryInput>,
  signals?: readonly DeliverySignal[],
) => Promise<DeliveryResult>;

/** What a test's deliveries have in common. */
export interface FakeDay {
  /** Below the source. */
  readonly name: string;
  /** At an instant of the server's, epoch ms. */
  readonly input: (now: number) => Omit<DeliveryInput, 'id' | 'source' | 'inFlight' | 'heartbeatTimeout'>;
  /** With signals from the start on. */
  readonly reason: string;
}

const optimizelyDay: FakeDay = {
  name: 'events/2026-03-01',
  input: (now) => ({
    ...{ vendor: 'optimizely', type: 'events', date: '2026-03-01' },
    ...{ deadline: now + 72 * hour, pollEvery: 15 * 60_000 },
  }),
  reason: 'because the test says so',
};

let deliveries = 0;

/** Deliveries, Optimizely days unless said otherwise, of which nothing is real but their workflow. */
export function fakeDelivery(
  environment: TestWorkflowEnvironment,
  landfall: FakeLandfall,
  day = optimizelyDay,
): FakeDelivery {
  return async (act = () => Promise.resolve(), changes = {}, signals = []) => {
    const source = `s${++deliveries}`;
    const workflowId = `${source}/${day.name}`;
    const taskQueue = `deliveries-${deliveries}`;
    const worker = await Worker.create({
      connection: environment.nativeConnection,
      taskQueue,
      workflowBundle: await workflowBundle(),
      activities: landfall.activities,
    });
    const input: DeliveryInput = {
      ...{ id: workflowId, source, inFlight: 2, heartbeatTimeout: 20_000 },
      ...day.input(await environment.currentTimeMs()),
      ...changes,
    };
    const options = {
      ...{ taskQueue, workflowId, args: [input] as [DeliveryInput] },
      workflowExecutionTimeout: '60 days',
    } as const;
    const [first, ...more] = signals;
    const reason = { reason: day.reason };
    // All of them are there before a worker is.
    const delivery: Delivery =
      first === undefined
        ? await environment.client.workflow.start(input.vendor, options)
        : await environment.client.workflow.signalWithStart(input.vendor, {
            ...options,
            signal: first,
            signalArgs: [reason],
          });
    for (const signal of more) await delivery.signal(signal, reason);
    return worker.runUntil(async () => {
      try {
        await act(delivery);
      } catch (error) {
        await delivery.terminate('the test failed').catch(() => undefined);
        throw error;
      }
      return delivery.result();
    });
  };
}
