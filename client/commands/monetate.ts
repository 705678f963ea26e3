import { Command } from 'commander';

import type { CommonOptions, Run } from '../session.js';
import { createCommand, parseDay } from './command.js';

interface NamesOptions extends CommonOptions {
  readonly day?: string;
}

/** What only Monetate can be asked for. */
export function monetateCommand(run: Run): Command {
  return new Command('monetate')
    .summary('asks Monetate what ids are called')
    .description('What only Monetate can be asked for.')
    .helpGroup('Load:')
    .addCommand(namesCommand(run));
}

function namesCommand(run: Run): Command {
  return createCommand({
    name: 'names',
    group: 'Load',
    summary: 'asks what variants, page events and custom targets are called',
    description:
      "Asks Monetate's metadata API in a workflow, and waits for it. It goes on when this command ends; one that is under " +
      'way is joined. Otherwise it is done every day, and for the ids of a day when that is final.',
    examples: [
      ['landfall monetate names', 'everything, of the one Monetate source there is'],
      ['landfall monetate names visits --day 2026-11-20', 'what has no name yet in the sessions of a day'],
    ],
  })
    .argument('[source]', 'a Monetate source of the configuration; may be left out where there is but one')
    .option('--day <day>', 'only ids without a name in the sessions of this day (UTC, YYYY-MM-DD)', parseDay)
    .action(async (source: string | undefined, options: NamesOptions) => {
      await run(options, async (session) => {
        const { refreshNames } = await import('../monetate-names.js');
        return refreshNames(await session.place(), { source, day: options.day }, session);
      });
    });
}
