import { createOutput, type Output, type OutputFormat } from './output.js';
import type { Place } from './place.js';
import type { Terminal } from './terminal.js';

/** Options that every command has. */
export interface CommonOptions {
  readonly output: OutputFormat;
  readonly config?: string;
}

/** What the body of a command works with. */
export interface Session {
  readonly terminal: Terminal;
  readonly output: Output;
  /** The file that --config named. */
  readonly configPath: string | undefined;
  /** Reads the configuration. */
  place(): Promise<Place>;
}

/** 0: done; 1: done, and what was asked for failed. Errors are thrown. */
export type ExitCode = 0 | 1;

/** Runs the body of a command, which is loaded only when it is needed: start-up stays fast. */
export type Run = (options: CommonOptions, body: (session: Session) => Promise<ExitCode>) => Promise<void>;

export function openSession(terminal: Terminal, options: CommonOptions): Session {
  return {
    terminal,
    output: createOutput(terminal, options.output),
    configPath: options.config,
    place: async () => (await import('./place.js')).openPlace(options.config, terminal),
  };
}
