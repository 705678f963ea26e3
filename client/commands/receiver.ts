import type { Command } from 'commander';

import type { CommonOptions, Run } from '../session.js';
import { createCommand } from './command.js';

export function receiverCommand(run: Run): Command {
  return createCommand({
    name: 'receiver',
    group: 'Run',
    summary: 'the endpoint that vendors send to (Dynatrace)',
    description:
      'Takes in what vendors send, over HTTP or HTTPS, and answers once Postgres has it. Where it listens, and for how much, ' +
      "says 'receiver' in the configuration. Ctrl-C or SIGTERM: requests under way come to their end. Run as many as you " +
      'like, behind one address. Its log goes to stderr.',
    examples: [['landfall receiver --config /etc/landfall.yaml', 'as a service would start it']],
  }).action(async (options: CommonOptions) => {
    await run(options, async (session) => {
      const { openLog } = await import('../../worker/log.js');
      const { runReceiver } = await import('../receiver.js');
      const { outliveStrayErrors } = await import('../../worker/stray-errors.js');
      const log = openLog();
      outliveStrayErrors(log);
      return runReceiver(session, log);
    });
  });
}
