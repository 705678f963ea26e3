/** For editors: `1%`, `0.5 %` or a fraction below one. */
export const fractionPattern = '^\\s*(?:\\d+(?:\\.\\d+)?\\s*%|0?\\.\\d+|0)\\s*$';

/**
 * `1%` or `0.01` as 0.01. A bare number from 1 on is refused: `1` may be meant as 1% or as all of it.
 * Undefined for anything else.
 */
export function parseFraction(text: string): number | undefined {
  if (!new RegExp(fractionPattern).test(text)) return undefined;
  const number = Number.parseFloat(text);
  const fraction = text.includes('%') ? number / 100 : number;
  return fraction <= 1 ? fraction : undefined;
}
