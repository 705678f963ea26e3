import type { Command } from 'commander';

import type { CommonOptions, Run } from '../session.js';
import { createCommand } from './command.js';

export function workerCommand(run: Run): Command {
  return createCommand({
    name: 'worker',
    group: 'Run',
    summary: 'a worker process: does what workflows ask for',
    description:
      'Runs workflows and their steps until it is stopped. Ctrl-C or SIGTERM: it takes no new work, hands back what it ' +
      'cannot finish in time (worker.shutdownGraceTime) and ends. Run as many as you like. Its log goes to stderr.',
    examples: [['landfall worker --config /etc/landfall.yaml', 'as a service would start it']],
  }).action(async (options: CommonOptions) => {
    await run(options, async (session) => {
      const place = await session.place();
      const access = { postgresUrl: place.postgresUrl().reveal(), temporal: await place.temporal() };
      const { startWorker } = await import('../../worker/run.js');
      const { installRuntime } = await import('../../worker/runtime.js');
      const { openLog } = await import('../../worker/log.js');
      const { outliveStrayErrors } = await import('../../worker/stray-errors.js');
      const log = openLog();
      outliveStrayErrors(log);
      installRuntime(log, place.config.metrics, 'stop workers');
      const { done } = await startWorker(place.config, access);
      await done;
      return 0;
    });
  });
}
