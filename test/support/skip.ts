import type { Context } from 'mocha';

/** Skips a test, or with its hook all that the hook is for, and says why. */
export function skip(context: Context, reason: string): never {
  console.log(`    Skipped: ${reason}`);
  return context.skip();
}
