/** Leanplum counts its days in Pacific time: those of its folders, and those that an export may be asked for. */

const writer = new Intl.DateTimeFormat('en-CA', {
  timeZone: 'America/Los_Angeles',
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
});

/** The Pacific day that holds an instant in epoch ms, `YYYY-MM-DD`. */
export function pacificDay(instant: number): string {
  const parts = new Map(writer.formatToParts(instant).map(({ type, value }) => [type, value]));
  return `${parts.get('year') ?? ''}-${parts.get('month') ?? ''}-${parts.get('day') ?? ''}`;
}
