import type { Command } from 'commander';

import type { CommonOptions, Run } from '../session.js';
import { createCommand } from './command.js';

export function devCommand(run: Run): Command {
  return createCommand({
    name: 'dev',
    group: 'Run',
    summary: 'everything on this machine, with sample deliveries',
    description:
      'Brings up whatever is not configured (Postgres, Temporal with its Web UI, an S3 server with a sample export), ' +
      'runs a worker, loads the sample deliveries and shows what landed. Stays up until Ctrl-C.',
    examples: [
      ['landfall dev', 'stays up, with the Web UI to look around in'],
      ['landfall dev --once', 'ends when the sample has landed'],
    ],
  })
    .option('--once', 'end with exit code 0 when the sample deliveries have landed')
    .action(async (options: CommonOptions & { once?: boolean }) => {
      await run(options, async (session) => {
        const { runDev } = await import('../dev.js');
        return runDev(session, { once: options.once === true });
      });
    });
}
