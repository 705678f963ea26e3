/** One way to come by a program. */
export interface Way {
  /** Completes "… was looked for", e.g. "on PATH". */
  readonly where: string;
  /** The program's path; undefined when it simply is not there; rejects when the way was tried and failed. */
  readonly find: () => Promise<string | undefined>;
}

/** No way led to the program. `message` says what was tried and what the person can do. */
export class NotProvisioned extends Error {
  override readonly name = 'NotProvisioned';
}

/**
 * The path of the first way that leads to a program, in order. Otherwise the error names every way with what
 * became of it, and then the ways out.
 */
export async function provision(
  what: string,
  ways: readonly Way[],
  waysOut: readonly string[],
): Promise<string> {
  const tried: string[] = [];
  for (const way of ways) {
    try {
      const path = await way.find();
      if (path !== undefined) return path;
      tried.push(`- ${way.where}: not there`);
    } catch (error) {
      tried.push(`- ${way.where}: ${(error as Error).message}`);
    }
  }
  throw new NotProvisioned(
    [
      `${what} could not be had. Tried:`,
      ...tried,
      'Any one of these helps:',
      ...waysOut.map((way) => `- ${way}`),
    ].join('\n'),
  );
}
