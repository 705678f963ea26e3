import { Command, CommanderError } from 'commander';

import { failureTypes } from '../model/failure.js';
import { printable } from '../model/printable.js';
import { acknowledgeCommand } from './commands/acknowledge.js';
import { backfillCommand } from './commands/backfill.js';
import { checkCommand } from './commands/check.js';
import { configSchemaCommand } from './commands/config-schema.js';
import { devCommand } from './commands/dev.js';
import { leanplumCommand } from './commands/leanplum.js';
import { monetateCommand } from './commands/monetate.js';
import { receiverCommand } from './commands/receiver.js';
import { setupCommand } from './commands/setup.js';
import { showCommand } from './commands/show.js';
import { signalCommands } from './commands/signals.js';
import { statusCommand } from './commands/status.js';
import { workerCommand } from './commands/worker.js';
import { openSession, type Run } from './session.js';
import type { Terminal } from './terminal.js';
import { usageError } from './usage-error.js';
import { version } from './version.js';

/** 0: done. 1: it failed. 2: it was typed or configured wrongly. */
export async function runCommandLine(args: readonly string[], given: Terminal): Promise<number> {
  // Vendors' values, servers' errors and people's reasons are among what is printed.
  const terminal: Terminal = {
    ...given,
    out: (text) => given.out(printable(text)),
    err: (text) => given.err(printable(text)),
  };
  let exitCode = 0;
  const program = createProgram(terminal, async (options, body) => {
    exitCode = await body(openSession(terminal, options));
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    terminal.err(`${describeError(error, terminal)}\n`);
    return isWrongUse(error) ? 2 : 1;
  }
}

export function createProgram(terminal: Terminal, run: Run): Command {
  const program = new Command('landfall')
    .description("Brings vendors' raw exports into Postgres: exactly once, and only when they are complete.")
    .version(version(), '-v, --version')
    .addHelpText(
      'after',
      `
Examples:
  $ landfall dev                                   everything on this machine, with sample deliveries
  $ landfall status experiments --from 2026-11-01  how final its days are
  $ landfall show experiments/events/2026-11-20    one delivery, with its history and its errors

A delivery is named as 'landfall status' shows it: experiments/events/2026-11-20. Exit codes: 0 done, 1 failed, 2 typed or configured wrongly.`,
    );
  const commands = [
    devCommand(run),
    setupCommand(run),
    workerCommand(run),
    receiverCommand(run),
    checkCommand(run),
    backfillCommand(run),
    leanplumCommand(run),
    monetateCommand(run),
    statusCommand(run),
    showCommand(run),
    ...signalCommands(run),
    acknowledgeCommand(run),
    configSchemaCommand(run),
  ];
  for (const command of commands) program.addCommand(command);
  prepare(program, [], terminal);
  return program;
}

/** Makes a command, and those below it, end and talk as the terminal wants it. `above` are the names before its own. */
function prepare(command: Command, above: readonly string[], terminal: Terminal): void {
  const names = [...above, command.name()];
  command
    .exitOverride()
    .showHelpAfterError(`(${names.join(' ')} --help shows how)`)
    .configureOutput({
      writeOut: (text) => terminal.out(text),
      writeErr: (text) => terminal.err(text),
      ...(terminal.width === undefined ? {} : { getOutHelpWidth: () => terminal.width ?? 80 }),
    });
  for (const below of command.commands) prepare(below, names, terminal);
}

/** By name, which is the stable part of an error, and survives a module that was loaded twice. */
function isWrongUse(error: unknown): boolean {
  return error instanceof Error && [failureTypes.configInvalid, usageError].includes(error.name);
}

/** One sentence. Where it came from is for those who set LANDFALL_DEBUG. */
function describeError(error: unknown, { env }: Terminal): string {
  if (!(error instanceof Error)) return String(error);
  if (env['LANDFALL_DEBUG']) return error.stack ?? error.message;
  // Of several failures at once (a host with two addresses, say) the first one speaks.
  if (error instanceof AggregateError && error.message === '')
    return describeError(error.errors[0], { env } as Terminal);
  return error.message;
}
