import type { Command } from 'commander';

import type { CommonOptions, Run } from '../session.js';
import { createCommand } from './command.js';

export function acknowledgeCommand(run: Run): Command {
  return createCommand({
    name: 'acknowledge',
    group: 'Mend',
    summary: 'take the notices of a delivery as read',
    description:
      'Acknowledges all open notices of a delivery, which then no longer stand in its status. The ledger keeps them; ' +
      "'landfall show' prints them with who acknowledged them and why.",
    examples: [
      ['landfall acknowledge podcasts/2026-11-20 --reason "Megaphone removed a bot, ticket 4711"', ''],
    ],
  })
    .argument('<delivery>', 'its name, such as podcasts/2026-11-20')
    .requiredOption('--reason <text>', 'why; it is kept in the ledger')
    .action(async (delivery: string, options: CommonOptions & { reason: string }) => {
      await run(options, async (session) => {
        const { acknowledge } = await import('../acknowledge.js');
        return acknowledge(await session.place(), { delivery, reason: options.reason }, session.output);
      });
    });
}
