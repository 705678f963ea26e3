import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

// By its path: a program may run in a folder of its own, from where tsx would not be found.
const require = createRequire(import.meta.url);
const tsx = pathToFileURL(join(dirname(require.resolve('tsx/package.json')), 'dist/loader.mjs')).href;
const leash = new URL('leash.mjs', import.meta.url).href;

/** Arguments of Node that run a program of ours from its source. Its process does not outlive the one that starts it. */
export function nodeArguments(program: string, ...args: readonly string[]): string[] {
  return ['--import', leash, '--import', tsx, program, ...args];
}
