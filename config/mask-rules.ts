/**
 * What is to become of personal data, by column. What the words mean, and where they apply, is written in
 * docs/decisions/0010-masking.md. Pure.
 */

/** `drop`: null, or without the key in jsonb. `hash`: HMAC-SHA256 with the source's key, in hexadecimal. */
export const treatments = ['drop', 'hash', 'keep'] as const;

export type Treatment = (typeof treatments)[number];

export interface MaskRule {
  /** Absent: the column of that name in every table of the source. */
  readonly table?: string;
  readonly column: string;
  /** Keys below a jsonb column, from outside; `*` stands for any key or place in a list. Empty: all of it. */
  readonly path: readonly string[];
  readonly treatment: Treatment;
}

/** The more particular one first: a longer path before a shorter one, a key before `*`, a table's before all tables'. */
export function rulesOf(given: Readonly<Record<string, Treatment>>): readonly MaskRule[] {
  const rules = Object.entries(given).map(([name, treatment]): MaskRule => {
    const [, table, column = '', rest = ''] = /^(?:([a-z0-9_]+):)?(\w+)(.*)$/s.exec(name) ?? [];
    const path = [...rest.matchAll(/\.("[^"]+"|[^.]+)/g)].map(([, step = '']) =>
      step.replace(/^"(.*)"$/s, '$1'),
    );
    return { ...(table === undefined ? {} : { table }), column, path, treatment };
  });
  const stars = ({ path }: MaskRule): number => path.filter((step) => step === '*').length;
  return rules.sort(
    (a, b) =>
      b.path.length - a.path.length ||
      stars(a) - stars(b) ||
      Number(a.table === undefined) - Number(b.table === undefined),
  );
}

/** A rule's column as a configuration writes it: `event:value.email`. */
export function writeTarget({ table, column, path }: MaskRule): string {
  const steps = path.map((step) => (/[\s.:"]/.test(step) ? `."${step}"` : `.${step}`));
  return `${table === undefined ? '' : `${table}:`}${column}${steps.join('')}`;
}

/** Whether a value is left out or hashed anywhere: rules that only keep change nothing. */
export function isMasking(rules: readonly MaskRule[]): boolean {
  return rules.some(({ treatment }) => treatment !== 'keep');
}
