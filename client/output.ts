import type { Terminal } from './terminal.js';

export const outputFormats = ['text', 'json'] as const;
export type OutputFormat = (typeof outputFormats)[number];

/** What a command says. Results go to stdout, in one format; everything else goes to stderr. */
export interface Output {
  readonly format: OutputFormat;
  /** The command's result: as JSON, or as a text that is made only when it is wanted. */
  result(value: unknown, text: () => string): void;
  /** What is worth knowing beside the result. */
  note(line: string): void;
}

export function createOutput(terminal: Terminal, format: OutputFormat): Output {
  return {
    format,
    result: (value, text) => {
      terminal.out(`${format === 'json' ? JSON.stringify(value, null, 2) : text()}\n`);
    },
    note: (line) => terminal.err(`${line}\n`),
  };
}
