// Runs the tests as two processes side by side, since for half of the time that one takes no core is busy: it waits for
// servers and timers. The output of the second comes after that of the first. The last line sums up.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const require = createRequire(import.meta.url);
const mocha = join(dirname(require.resolve('mocha/package.json')), 'bin/mocha.js');

/** Folders of test/ that take as long as all others together. */
const first = ['client', 'end-to-end', 'stores', 'web-ui'];
const shares = [
  first.map((folder) => `test/${folder}/**/*.test.ts`),
  ['test/**/*.test.ts', ...first.flatMap((folder) => ['--ignore', `test/${folder}/**`])],
];

const options = process.argv.slice(2);
// The terminal's Ctrl-C reaches the shares as well, and they tidy up first.
process.on('SIGINT', () => undefined);
const [live, ...others] = shares.map(run);
const results = [await live(true), ...(await Promise.all(others.map((share) => share(false))))];
const sum = (name) => results.reduce((total, result) => total + result[name], 0);
const skipped = sum('skipped') > 0 ? `, ${sum('skipped')} skipped` : '';
console.log(`${sum('passed')} passed, ${sum('failed')} failed${skipped}`);
process.exitCode = results.every(({ code }) => code === 0) ? 0 : 1;

/** Starts a share; what is returned tells of it once it has ended, as it comes or afterwards. */
function run(share) {
  const child = spawn(process.execPath, [mocha, ...share, ...options], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  let shown = 0;
  let live = false;
  /** All but the last line, which is its own sum. */
  const show = () => {
    const end = text.lastIndexOf('\n', text.length - 2) + 1;
    process.stdout.write(text.slice(shown, Math.max(shown, end)));
    shown = Math.max(shown, end);
  };
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
      if (live) show();
    });
  }
  const ended = once(child, 'close');
  process.on('SIGTERM', () => child.kill());
  return async (now) => {
    live = now;
    const [code] = await ended;
    show();
    const line = text.slice(shown);
    const [, passed, failed, skipped = 0] =
      /^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/m.exec(line) ?? [];
    // It ended before it could sum up.
    if (passed === undefined) process.stdout.write(line);
    return { code, passed: Number(passed ?? 0), failed: Number(failed ?? 0), skipped: Number(skipped) };
  };
}
