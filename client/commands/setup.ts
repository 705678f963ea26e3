import type { Command } from 'commander';

import type { CommonOptions, Run } from '../session.js';
import { createCommand } from './command.js';

export function setupCommand(run: Run): Command {
  return createCommand({
    name: 'setup',
    group: 'Run',
    summary: 'migrations, search attributes and schedules',
    description:
      "Brings Postgres and Temporal to what the configuration says: the ledger, each source's schema with its tables " +
      'and views, search attributes, and one schedule a source. Days that an earlier version gave a partition each are put ' +
      'together, while readers go on. May be repeated; run it after every update and every ' +
      'change of the configuration.',
    examples: [['landfall setup', 'says what it did']],
  }).action(async (options: CommonOptions) => {
    await run(options, async (session) => {
      const { setup } = await import('../setup.js');
      return setup(await session.place(), session.output);
    });
  });
}
