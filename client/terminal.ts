/** Where a command talks: streams, environment and place. Handed in, so that tests talk to it too. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Columns of a terminal that results go to; undefined for a pipe or a file. */
  readonly width: number | undefined;
  /** Somebody watches stderr: progress bars make sense. */
  readonly watched: boolean;
}

export function processTerminal(): Terminal {
  return {
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
    env: process.env,
    cwd: process.cwd(),
    width: process.stdout.isTTY ? process.stdout.columns : undefined,
    watched: process.stdout.isTTY && process.stderr.isTTY,
  };
}
