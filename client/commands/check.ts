import { Option, type Command } from 'commander';

import type { CommonOptions, Run } from '../session.js';
import { createCommand, parseWait } from './command.js';

export function checkCommand(run: Run): Command {
  return createCommand({
    name: 'check',
    group: 'Look',
    summary: 'connects to every part and says what is wrong',
    description:
      'Looks at the configuration, Postgres, Temporal and the store of each source, and reads the head of one file. ' +
      'Of a vendor that sends to us it says what its form needs, and waits for the first time that something comes. ' +
      'Every part is looked at, whatever is wrong with the others. Changes nothing.',
    examples: [
      ['landfall check', 'every source'],
      ['landfall check experiments', 'one source'],
      ['landfall check rum --wait 20m', "while you fill in the vendor's form"],
    ],
  })
    .argument('[source]', 'only this source')
    .addOption(
      new Option('--wait <duration>', 'for what was never sent yet; 0: do not wait')
        .argParser(parseWait)
        .default(5 * 60_000, '5 minutes'),
    )
    .action(async (source: string | undefined, options: CommonOptions & { readonly wait: number }) => {
      await run(options, async (session) => {
        const { check } = await import('../check.js');
        const { sniffSource } = await import('../../activities/sniff.js');
        const request = { source, wait: options.wait, sniff: sniffSource };
        return check(await session.place(), request, session.output);
      });
    });
}
