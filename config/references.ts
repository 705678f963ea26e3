/**
 * `${NAME}` stands for an environment variable wherever a text may stand, quoted or not; `$${NAME}` for those letters
 * themselves. YAML reads `{ url: ${DATABASE_URL} }` as braces within braces, so references are veiled before parsing, by
 * letters of the same count (errors keep their line), and resolved in single texts afterwards: what a variable holds is
 * never read as YAML.
 */

/** Private-use characters that stand for `${`, `}`, `$${` and its `}`. */
const [open, close, literalOpen, literalClose] = ['\uE000\uE001', '\uE002', '\uE003\uE004\uE005', '\uE006'];

export function veilReferences(text: string): string {
  return text
    .replaceAll(/\$\$\{([^{}\n]*)\}/g, `${literalOpen}$1${literalClose}`)
    .replaceAll(/\$\{([^{}\n]*)\}/g, `${open}$1${close}`);
}

/** The text as it was written. */
export function unveilReferences(text: string): string {
  return text
    .replaceAll(literalOpen, '$${')
    .replaceAll(literalClose, '}')
    .replaceAll(open, '${')
    .replaceAll(close, '}');
}

export interface Resolved {
  readonly text: string;
  /** Names of the variables it took in; their values must not be shown. */
  readonly variables: readonly string[];
  /** What is wrong with its references: sentences without a value. */
  readonly faults: readonly string[];
}

export function resolveReferences(
  veiled: string,
  env: Readonly<Record<string, string | undefined>>,
): Resolved {
  const variables: string[] = [];
  const faults: string[] = [];
  const text = veiled.replaceAll(new RegExp(`${open}([^${close}]*)${close}`, 'g'), (_, name: string) => {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      faults.push(`refers to \${${name}}, which is no name of an environment variable; write \${NAME}`);
      return '';
    }
    variables.push(name);
    const value = env[name];
    if (value === undefined) faults.push(`refers to the environment variable ${name}, which is not set`);
    return value ?? '';
  });
  return {
    text: text.replaceAll(literalOpen, '${').replaceAll(literalClose, '}'),
    variables,
    faults,
  };
}
