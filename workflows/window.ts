/** Deliveries that a workflow has started and that have not come to rest, and how it hears of them. */

import { defineSignal, setHandler, workflowInfo } from '@temporalio/workflow';

import type { DeliveryStart } from '../config/delivery-start.js';
import type { DeliveryResult } from '../model/control.js';
import { startDelivery } from './start.js';
import { quick } from './steps.js';

export interface Window {
  /** Ids. */
  readonly inFlight: () => readonly string[];
  /** Those of them that only waited when last asked for, be it for their marker or for a person. */
  readonly waiting: () => ReadonlySet<string>;
  /** How many of them do not. */
  readonly atWork: () => number;
  /** From now on they are heard. */
  readonly listen: () => void;
  /** Starts one under its own id, or joins it where it runs. */
  readonly start: (start: DeliveryStart) => Promise<void>;
  /** Asks what became of some: one that ends without telling (terminated, say), or only waits, is found in no other way. */
  readonly ask: (ids: readonly string[]) => Promise<void>;
}

export interface WindowSettings {
  /** What an earlier run of the workflow hands on. */
  readonly inFlight?: readonly string[] | undefined;
  readonly waiting?: readonly string[] | undefined;
  /** Told once of each. */
  readonly onSettled: (result: DeliveryResult) => void;
  readonly onChange: () => void;
}

const settledSignal = defineSignal<[DeliveryResult]>('settled');

export function openWindow(settings: WindowSettings): Window {
  const { onSettled, onChange } = settings;
  const self = workflowInfo().workflowId;
  const inFlight = new Set(settings.inFlight);
  let waiting = new Set(settings.waiting);

  const settle = (result: DeliveryResult): void => {
    // Told twice, by the delivery and by our asking: it counts once.
    if (!inFlight.delete(result.delivery)) return;
    waiting.delete(result.delivery);
    onSettled(result);
    onChange();
  };
  const ask = async (ids: readonly string[]): Promise<void> => {
    const found = await quick.settledDeliveries.executeWithOptions({ summary: 'ask who came to rest' }, [
      { ids },
    ]);
    waiting = new Set([...waiting].filter((id) => !ids.includes(id)).concat(found.waiting));
    found.settled.forEach(settle);
    onChange();
  };
  return {
    inFlight: () => [...inFlight],
    waiting: () => waiting,
    atWork: () => inFlight.size - waiting.size,
    listen: () => setHandler(settledSignal, settle, { description: 'A delivery came to rest.' }),
    start: async (start) => {
      inFlight.add(start.workflowId);
      onChange();
      if (!(await startDelivery(start, self))) await ask([start.workflowId]);
    },
    ask,
  };
}
