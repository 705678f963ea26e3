/** The commands that ask something of one delivery. They differ in nothing but the signal and its wording. */

import type { Command } from 'commander';

import { deliverySignals, type DeliverySignal } from '../../model/control.js';
import type { CommonOptions, Run } from '../session.js';
import { createCommand } from './command.js';

interface SignalText {
  readonly summary: string;
  readonly description: string;
  readonly reason: string;
}

const texts: Readonly<Record<DeliverySignal, SignalText>> = {
  reprocess: {
    summary: 'load a delivery again, even a final one',
    description:
      'Loads a delivery again from the store and replaces its rows. A delivery that has ended starts again.',
    reason: 'the vendor sent corrected files',
  },
  accept: {
    summary: 'treat a delivery as complete without its marker',
    description:
      'Loads what lies in the store as if the vendor had marked it complete. Of a delivery with a version that is held for ' +
      'having lost rows, publishes that version.',
    reason: 'the vendor confirmed that the day is complete',
  },
  skip: {
    summary: 'stop waiting for a delivery',
    description: 'Stops waiting and leaves everything as it is: rows that are there stay.',
    reason: 'no export on that day',
  },
  discard: {
    summary: 'take the rows of a delivery out',
    description:
      'Takes the rows of a delivery out of the tables, in one transaction. The ledger keeps its history.',
    reason: 'test traffic',
  },
  pause: {
    summary: 'hold a running delivery',
    description: 'Holds a running delivery until it is resumed. Steps that have begun are finished.',
    reason: 'maintenance of the warehouse',
  },
  resume: {
    summary: 'let a paused delivery go on',
    description: 'Lets a paused delivery go on.',
    reason: 'maintenance is over',
  },
};

export function signalCommands(run: Run): Command[] {
  return deliverySignals.map((signal) => {
    const { summary, description, reason } = texts[signal];
    const line = `landfall ${signal} experiments/events/2026-11-20 --reason "${reason}"`;
    return createCommand({ name: signal, group: 'Mend', summary, description, examples: [[line, '']] })
      .argument('<delivery>', 'its name, such as experiments/events/2026-11-20')
      .requiredOption('--reason <text>', 'why; it is kept in the ledger')
      .action(async (delivery: string, options: CommonOptions & { reason: string }) => {
        await run(options, async (session) => {
          const { signalDelivery } = await import('../signal.js');
          return signalDelivery(
            await session.place(),
            { signal, delivery, reason: options.reason },
            session.output,
          );
        });
      });
  });
}
