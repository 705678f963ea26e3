/** What one look at one part found. */
export interface Finding {
  /** `postgres`, `temporal`, `store of experiments` */
  readonly part: string;
  /** What was looked at: `version`, `search attributes` … */
  readonly what: string;
  readonly ok: boolean;
  /** A sentence without its full stop. */
  readonly found: string;
  /** What to do; only where something is wrong. */
  readonly mend?: string;
}

export interface PartReport {
  ok(what: string, found: string): void;
  wrong(what: string, found: string, mend: string): void;
  readonly findings: readonly Finding[];
}

export function reportOn(part: string): PartReport {
  const findings: Finding[] = [];
  return {
    findings,
    ok: (what, found) => findings.push({ part, what, ok: true, found }),
    wrong: (what, found, mend) => findings.push({ part, what, ok: false, found, mend }),
  };
}

/** An error's sentence, without its full stop. */
export function sentence(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/\.$/, '');
}
