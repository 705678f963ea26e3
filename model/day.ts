/** Arithmetic on UTC days written `YYYY-MM-DD`, which is how vendors name them and how people type them. */

const dayLength = 86_400_000;

/** Start of the day in epoch milliseconds. Throws RangeError for anything that is no calendar day. */
export function startOfDay(day: string): number {
  const at = /^\d{4}-\d{2}-\d{2}$/.test(day) ? Date.parse(`${day}T00:00:00Z`) : Number.NaN;
  if (Number.isNaN(at) || dayOf(at) !== day) throw new RangeError(`'${day}' is not a day (YYYY-MM-DD)`);
  return at;
}

/** Whether a text is a calendar day, `YYYY-MM-DD`. */
export function isDay(text: string): boolean {
  try {
    startOfDay(text);
    return true;
  } catch {
    return false;
  }
}

/** First instant after the day, in epoch milliseconds. */
export function endOfDay(day: string): number {
  return startOfDay(day) + dayLength;
}

/** The UTC day that holds an instant given in epoch milliseconds. */
export function dayOf(instant: number): string {
  return new Date(instant).toISOString().slice(0, 10);
}

export function addDays(day: string, count: number): string {
  return dayOf(startOfDay(day) + count * dayLength);
}

/** Number of days from `from` to `to`, both included; 0 when `to` is before `from`. */
export function countDays(from: string, to: string): number {
  return Math.max(0, Math.round((startOfDay(to) - startOfDay(from)) / dayLength) + 1);
}
