import type { Command } from 'commander';

import type { CommonOptions, Run } from '../session.js';
import { createCommand } from './command.js';

export function showCommand(run: Run): Command {
  return createCommand({
    name: 'show',
    group: 'Look',
    summary: 'one delivery: its loads, its history and its errors',
    description:
      'Shows from the ledger how a delivery stands and why, every load with its counts, everything that happened to it ' +
      'and who asked for it, files with errors, and the first quarantined rows.',
    examples: [['landfall show experiments/events/2026-11-20', 'loads, events, first bad rows']],
  })
    .argument('<delivery>', 'its name, such as experiments/events/2026-11-20')
    .action(async (delivery: string, options: CommonOptions) => {
      await run(options, async (session) => {
        const { show } = await import('../show.js');
        return show(await session.place(), delivery, session.output);
      });
    });
}
