import { Command, InvalidArgumentError, Option } from 'commander';

import { parseDuration } from '../../config/duration.js';
import { isDay } from '../../model/day.js';
import { outputFormats } from '../output.js';

export interface CommandText {
  readonly name: string;
  /** One line, for the list of commands. */
  readonly summary: string;
  readonly description: string;
  /** Lines to type, each with what it does. */
  readonly examples: readonly (readonly [line: string, meaning: string])[];
  readonly group: 'Run' | 'Look' | 'Load' | 'Mend';
}

/** A command with the options that all have, and its examples. */
export function createCommand({ name, summary, description, examples, group }: CommandText): Command {
  const width = Math.max(...examples.map(([line]) => line.length)) + 2;
  const lines = examples.map(([line, meaning]) => `  $ ${line.padEnd(width)}${meaning}`);
  return new Command(name)
    .summary(summary)
    .description(description)
    .helpGroup(`${group}:`)
    .addOption(
      new Option('-o, --output <format>', 'json: only JSON on stdout, everything else on stderr')
        .choices(outputFormats)
        .default('text'),
    )
    .option('--config <file>', 'configuration (default: landfall.yaml in the current directory)')
    .addHelpText('after', `\n${lines.length === 1 ? 'Example' : 'Examples'}:\n${lines.join('\n')}`);
}

export function parseDay(value: string): string {
  if (isDay(value)) return value;
  throw new InvalidArgumentError('It must be a calendar day, YYYY-MM-DD.');
}

export function parseCount(value: string): number {
  const count = Number(value);
  if (Number.isInteger(count) && count >= 1 && count <= 1_000) return count;
  throw new InvalidArgumentError('It must be a whole number from 1 to 1000.');
}

/** Milliseconds; 0 for none. */
export function parseWait(value: string): number {
  const wait = value === '0' ? 0 : parseDuration(value);
  if (wait !== undefined) return wait;
  throw new InvalidArgumentError(
    "It must be a length of time with its unit, such as '5 minutes' or 90s, or 0.",
  );
}
