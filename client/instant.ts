/** `2026-11-20 04:30:00 UTC`, for people. */
export function writeInstant(instant: string): string {
  return `${instant.slice(0, 19).replace('T', ' ')} UTC`;
}
