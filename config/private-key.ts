import { matching } from './scalars.js';
import { secret } from './secret.js';

/**
 * A private key itself. Environment variables and the files that set them often hold a text on one line: `\n` written out
 * stands for a line break, which no key has otherwise.
 */
export function privateKey(pattern: RegExp, rule: string) {
  return matching(pattern, rule).transform((value) => secret(withLineBreaks(value)));
}

function withLineBreaks(value: string): string {
  const text = value.trim().includes('\n') ? value : value.replaceAll(/\\r\\n|\\n|\\r/g, '\n');
  return text.replace(/^["'\s]+|["'\s]+$/g, '').concat('\n');
}
