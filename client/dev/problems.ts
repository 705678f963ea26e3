/** What is wrong with single sources, while `landfall dev` goes on with the others. */
export interface SourceProblem {
  readonly source: string;
  readonly problem: string;
}

export interface Problems {
  readonly found: readonly SourceProblem[];
  /** Says it, and keeps it. */
  readonly add: (source: string, error: unknown) => void;
  /** Gives what `work` gives; undefined where that fails, which is then a problem of the source. */
  readonly of: <T>(source: string, work: () => Promise<T>) => Promise<T | undefined>;
}

/** After the signal nothing is a problem: what breaks off then was asked to. */
export function openProblems(tell: (line: string) => void, signal: AbortSignal): Problems {
  const found: SourceProblem[] = [];
  const add = (source: string, error: unknown): void => {
    if (signal.aborted) return;
    const problem = error instanceof Error ? error.message : String(error);
    found.push({ source, problem });
    tell(`  ${source}: ${problem}`);
  };
  return {
    found,
    add,
    of: async (source, work) => {
      try {
        return await work();
      } catch (error) {
        add(source, error);
        return undefined;
      }
    },
  };
}
