import { Command, Option } from 'commander';

import { exportFormats, type AskedFormat } from '../../model/export.js';
import { exportLimits } from '../../vendors/leanplum/export.js';
import type { CommonOptions, Run } from '../session.js';
import { createCommand, parseDay } from './command.js';

interface ExportOptions extends CommonOptions {
  readonly from: string;
  readonly to: string;
  readonly format: AskedFormat;
  readonly wait?: boolean;
}

/** What only Leanplum can be asked for. */
export function leanplumCommand(run: Run): Command {
  return new Command('leanplum')
    .summary('asks Leanplum for exports')
    .description('What only Leanplum can be asked for.')
    .helpGroup('Load:')
    .addCommand(exportCommand(run));
}

function exportCommand(run: Run): Command {
  return createCommand({
    name: 'export',
    group: 'Load',
    summary: 'asks for an export of some days, and loads it like a job',
    description:
      "Asks Leanplum's API for an export, waits for it in a workflow, and loads what it brings as a delivery. It goes on " +
      `when this command ends; the very same export that is under way is joined. ${exportLimits}`,
    examples: [
      ['landfall leanplum export --from 2026-11-01 --to 2026-11-10', 'of the one Leanplum source there is'],
      ['landfall leanplum export sessions --from 2026-11-20 --to 2026-11-20 --wait', 'until it has landed'],
      ['landfall leanplum export sessions --from 2026-11-01 --to 2026-11-10 --format csv', 'as CSV'],
    ],
  })
    .argument('[source]', 'a Leanplum source of the configuration; may be left out where there is but one')
    .requiredOption('--from <day>', 'first day (Pacific, YYYY-MM-DD), at most 60 days back', parseDay)
    .requiredOption('--to <day>', 'last day (Pacific, YYYY-MM-DD)', parseDay)
    .addOption(new Option('--format <format>', 'of the files').choices(exportFormats).default('json'))
    .option('--wait', 'wait until it has landed; exit code 1 if it has not')
    .action(async (source: string | undefined, { wait, ...options }: ExportOptions) => {
      await run(options, async (session) => {
        const { startExport } = await import('../leanplum-export.js');
        const { from, to, format } = options;
        const request = { ...(source === undefined ? {} : { source }), from, to, format };
        return startExport(await session.place(), { ...request, wait: wait === true }, session);
      });
    });
}
