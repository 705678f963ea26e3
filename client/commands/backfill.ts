import type { Command } from 'commander';

import type { CommonOptions, Run } from '../session.js';
import { createCommand, parseCount, parseDay } from './command.js';

interface BackfillOptions extends CommonOptions {
  readonly from: string;
  readonly to: string;
  readonly type?: string;
  readonly maxInFlight: number;
  readonly dryRun?: boolean;
  readonly wait?: boolean;
}

export function backfillCommand(run: Run): Command {
  return createCommand({
    name: 'backfill',
    group: 'Load',
    summary: "loads a range of a source's days",
    description:
      'Starts the deliveries of a range of days, newest first, a bounded number at a time. Those that are final, skipped ' +
      'or discarded are left alone, so it may be repeated. It goes on when this command ends.',
    examples: [
      ['landfall backfill experiments --from 2026-10-01 --to 2026-10-31 --dry-run', 'what it would start'],
      ['landfall backfill experiments --from 2026-10-01 --to 2026-10-31 --wait', 'until all have landed'],
      ['landfall backfill experiments --from 2026-10-01 --to 2026-10-31 --type events', 'one type'],
    ],
  })
    .argument('<source>', 'a source of the configuration')
    .requiredOption('--from <day>', 'first day (UTC, YYYY-MM-DD)', parseDay)
    .requiredOption('--to <day>', 'last day (UTC, YYYY-MM-DD)', parseDay)
    .option('--type <type>', 'only this type')
    .option('--max-in-flight <count>', 'deliveries at the same time', parseCount, 4)
    .option('--dry-run', 'say what it would start and what it would leave alone; start nothing')
    .option('--wait', 'show progress until it is done; exit code 1 if any delivery failed')
    .action(async (source: string, options: BackfillOptions) => {
      await run(options, async (session) => {
        const { planBackfill, startBackfill } = await import('../backfill.js');
        const place = await session.place();
        const request = { ...options, source };
        return options.dryRun === true
          ? planBackfill(place, request, session.output)
          : startBackfill(place, { ...request, wait: options.wait === true }, session);
      });
    });
}
