/**
 * Waits until `condition` gives something true and returns it. An error thrown by the condition counts as "not
 * yet"; the last one is shown when time is up, so that assertions may stand inside.
 */
export async function eventually<T>(
  condition: () => T | Promise<T>,
  { timeoutMs = 5000, everyMs = 20, what = 'the condition' } = {},
): Promise<NonNullable<T>> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    let last: unknown;
    try {
      const value = await condition();
      if (value) return value;
      last = `it gave ${String(value)}`;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) {
      const why = last instanceof Error ? last.message : String(last);
      throw new Error(`Waited ${timeoutMs} ms for ${what}, in vain: ${why}`, { cause: last });
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
