/** Takes out of a history what belongs to the machine that recorded it and means nothing to a replay. */

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** One event a line, so that a new recording shows in a diff what changed. */
export function writeHistory(shown: string): string {
  const { events } = scrub(JSON.parse(shown) as Json) as { events: Json[] };
  return `{"events":[\n${events.map((event) => JSON.stringify(event)).join(',\n')}\n]}\n`;
}

function scrub(value: Json): Json {
  if (Array.isArray(value)) return value.map(scrub);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => name !== 'stackTrace')
      .map(([name, inner]) => {
        if (name === 'identity') return [name, 'recorder'];
        if (name === 'taskQueue' && isSticky(inner)) return [name, { ...inner, name: 'sticky' }];
        return [name, scrub(inner)];
      }),
  );
}

function isSticky(queue: Json): queue is Record<string, Json> {
  return (
    typeof queue === 'object' &&
    queue !== null &&
    'kind' in queue &&
    queue['kind'] === 'TASK_QUEUE_KIND_STICKY'
  );
}
