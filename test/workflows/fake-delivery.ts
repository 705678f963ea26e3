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

let deliveries = 0;

/** Optimizely days of which nothing is real but their workflow. */
export function fakeDelivery(environment: TestWorkflowEnvironment, landfall: FakeLandfall): FakeDelivery {
  return async (act = () => Promise.resolve(), changes = {}, signals = []) => {
    const taskQueue = `optimizely-${++deliveries}`;
    const worker = await Worker.create({
      connection: environment.nativeConnection,
      taskQueue,
      workflowBundle: await workflowBundle(),
      activities: landfall.activities,
    });
    const now = await environment.currentTimeMs();
    const input: DeliveryInput = {
      id: `s${deliveries}/events/2026-03-01`,
      source: `s${deliveries}`,
      vendor: 'optimizely',
      type: 'events',
      date: '2026-03-01',
      deadline: now + 72 * hour,
      pollEvery: 15 * 60_000,
      inFlight: 2,
      heartbeatTimeout: 20_000,
      ...changes,
    };
    const options = {
      taskQueue,
      workflowId: `s${deliveries}/events/2026-03-01`,
      args: [input] as [DeliveryInput],
      workflowExecutionTimeout: '60 days',
    } as const;
    const [first, ...more] = signals;
    const reason = { reason: 'because the test says so' };
    // All of them are there before a worker is.
    const delivery: Delivery =
      first === undefined
        ? await environment.client.workflow.start('optimizely', options)
        : await environment.client.workflow.signalWithStart('optimizely', {
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
