/** Lengths of time as people write them: `15 minutes`, `3 days`, `90s`, `1h 30m`. Held in milliseconds. */

const units: Readonly<Record<string, number>> = {
  ms: 1,
  millisecond: 1,
  milliseconds: 1,
  s: 1_000,
  sec: 1_000,
  second: 1_000,
  seconds: 1_000,
  m: 60_000,
  min: 60_000,
  minute: 60_000,
  minutes: 60_000,
  h: 3_600_000,
  hour: 3_600_000,
  hours: 3_600_000,
  d: 86_400_000,
  day: 86_400_000,
  days: 86_400_000,
  w: 604_800_000,
  week: 604_800_000,
  weeks: 604_800_000,
};

const part = '\\d+(?:\\.\\d+)?\\s*[a-z]+';

/** For editors: what a length of time looks like, without the list of units. */
export const durationPattern = `^\\s*${part}(?:\\s+${part})*\\s*$`;

/** Milliseconds, above zero; undefined for anything that is no length of time with its unit. */
export function parseDuration(text: string): number | undefined {
  const lower = text.toLowerCase();
  if (!new RegExp(durationPattern).test(lower)) return undefined;
  let total = 0;
  for (const [, count = '', unit = ''] of lower.matchAll(/(\d+(?:\.\d+)?)\s*([a-z]+)/g)) {
    if (!Object.hasOwn(units, unit)) return undefined;
    total += Number(count) * (units[unit] ?? Number.NaN);
  }
  const milliseconds = Math.round(total);
  return milliseconds > 0 && Number.isSafeInteger(milliseconds) ? milliseconds : undefined;
}

/** The longest unit that divides it: `15 minutes`, `1 day`, `1500 ms`. */
export function writeDuration(milliseconds: number): string {
  for (const unit of ['day', 'hour', 'minute', 'second']) {
    const length = units[unit] ?? 1;
    if (milliseconds >= length && milliseconds % length === 0) {
      const count = milliseconds / length;
      return `${count} ${unit}${count === 1 ? '' : 's'}`;
    }
  }
  return `${milliseconds} ms`;
}
