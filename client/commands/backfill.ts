import type { Command } from 'commander';

import type { CommonOptions, Run } from '../session.js';
import type { StopRequest } from '../stop-backfill.js';
import { UsageError } from '../usage-error.js';
import { createCommand, parseCount, parseDay } from './command.js';

interface BackfillOptions extends CommonOptions {
  readonly from?: string;
  readonly to?: string;
  readonly type?: string;
  readonly maxInFlight: number;
  readonly dryRun?: boolean;
  readonly wait?: boolean;
  readonly stop?: boolean;
  readonly reason?: string;
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
      [
        'landfall backfill experiments --stop --reason "the warehouse is moved"',
        'ends it; what it started goes on',
      ],
    ],
  })
    .argument('<source>', 'a source of the configuration')
    .option('--from <day>', 'first day (UTC, YYYY-MM-DD)', parseDay)
    .option('--to <day>', 'last day (UTC, YYYY-MM-DD)', parseDay)
    .option('--type <type>', 'only this type')
    .option('--max-in-flight <count>', 'deliveries at the same time', parseCount, 4)
    .option('--dry-run', 'say what it would start and what it would leave alone; start nothing')
    .option('--wait', 'show progress until it is done; exit code 1 if any delivery failed')
    .option('--stop', 'end the backfills of the source that run, or the one of a range; days in flight go on')
    .option('--reason <text>', 'why it is stopped; it is kept with the backfill')
    .action(async (source: string, options: BackfillOptions) => {
      await run(options, async (session) => {
        const place = await session.place();
        if (options.stop === true) {
          const { stopBackfills } = await import('../stop-backfill.js');
          return stopBackfills(place, stopRequest(source, options), session.output);
        }
        const { planBackfill, startBackfill } = await import('../backfill.js');
        if (options.reason !== undefined) throw new UsageError('--reason belongs to --stop.');
        const request = { ...options, ...requireRange(options), source };
        return options.dryRun === true
          ? planBackfill(place, request, session.output)
          : startBackfill(place, { ...request, wait: options.wait === true }, session);
      });
    });
}

function requireRange({ from, to }: BackfillOptions): { readonly from: string; readonly to: string } {
  if (from !== undefined && to !== undefined) return { from, to };
  throw new UsageError(
    `${from === undefined ? '--from' : '--to'} is missing: a backfill is of a range of days, such as ` +
      `--from 2026-10-01 --to 2026-10-31.`,
  );
}

function stopRequest(source: string, options: BackfillOptions): StopRequest {
  const { from, to, type, reason } = options;
  if (reason === undefined) throw new UsageError('--stop needs --reason: why it is stopped.');
  if (from === undefined && to === undefined && type === undefined) return { source, reason };
  return { source, reason, range: { ...requireRange(options), ...(type === undefined ? {} : { type }) } };
}
