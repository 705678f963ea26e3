import type { Command } from 'commander';

import type { CommonOptions, Run } from '../session.js';
import { createCommand } from './command.js';

export function checkCommand(run: Run): Command {
  return createCommand({
    name: 'check',
    group: 'Look',
    summary: 'connects to every part and says what is wrong',
    description:
      'Looks at the configuration, Postgres, Temporal and the store of each source, and reads the head of one file. ' +
      'Every part is looked at, whatever is wrong with the others. Changes nothing.',
    examples: [
      ['landfall check', 'every source'],
      ['landfall check experiments', 'one source'],
    ],
  })
    .argument('[source]', 'only this source')
    .action(async (source: string | undefined, options: CommonOptions) => {
      await run(options, async (session) => {
        const { check } = await import('../check.js');
        const { sniffSource } = await import('../../activities/sniff.js');
        return check(await session.place(), source, session.output, sniffSource);
      });
    });
}
