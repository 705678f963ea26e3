import type { Command } from 'commander';

import type { CommonOptions, Run } from '../session.js';
import { createCommand, parseDay } from './command.js';

interface StatusOptions extends CommonOptions {
  readonly from?: string;
  readonly to?: string;
}

export function statusCommand(run: Run): Command {
  return createCommand({
    name: 'status',
    group: 'Look',
    summary: 'how final every delivery is',
    description:
      'Lists deliveries from the ledger, newest day first, and counts them by finality. Of sources that a vendor sends to, ' +
      'which have thousands, they are summed up by day and finality, unless the source is named or the output is for programs.',
    examples: [
      ['landfall status', 'every delivery of every source'],
      ['landfall status experiments --from 2026-11-01 --to 2026-11-20', 'some days of one'],
      ['landfall status -o json', 'for programs: an array of deliveries'],
    ],
  })
    .argument('[source]', 'only this source')
    .option('--from <day>', 'first day (UTC, YYYY-MM-DD)', parseDay)
    .option('--to <day>', 'last day (UTC, YYYY-MM-DD)', parseDay)
    .action(async (source: string | undefined, { from, to, ...common }: StatusOptions) => {
      await run(common, async (session) => {
        const { status } = await import('../status.js');
        return status(await session.place(), { source, from, to }, session.output, session.terminal.width);
      });
    });
}
