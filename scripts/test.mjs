// Runs the tests as two processes side by side, since for half of the time that one takes no core is busy: it waits for
// servers and timers. The output of the second comes after that of the first. The last line sums up.
//
// What a process has started ends with it, and a process that does not end is ended: by its own watchdog
// (test/support/watchdog.ts), and from here where that is stuck, too.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const require = createRequire(import.meta.url);
// Not bin/mocha.js, which starts another process: that one would not notice when this one is gone.
const mocha = join(dirname(require.resolve('mocha/package.json')), 'bin/_mocha');
/** Minutes; its own watchdog comes first. */
const limit = Number(process.env.LANDFALL_TEST_LIMIT ?? 60) + 3;

/** Folders of test/ that take as long as all others together. */
const first = ['client', 'end-to-end', 'stores', 'web-ui'];
const shares = [
  first.map((folder) => `test/${folder}/**/*.test.ts`),
  ['test/**/*.test.ts', ...first.flatMap((folder) => ['--ignore', `test/${folder}/**`])],
];

const options = process.argv.slice(2);
const [live, ...others] = shares.map(run);
const results = [await live(true), ...(await Promise.all(others.map((share) => share(false))))];
const sum = (name) => results.reduce((total, result) => total + result[name], 0);
const skipped = sum('skipped') > 0 ? `, ${sum('skipped')} skipped` : '';
console.log(`${sum('passed')} passed, ${sum('failed')} failed${skipped}`);
process.exitCode = results.every(({ code, ended }) => code === 0 && ended) ? 0 : 1;

/** Starts a share; what is returned tells of it once it has ended, as it comes or afterwards. */
function run(share) {
  const child = spawn(process.execPath, ['--import', 'tsx', mocha, ...share, ...options], {
    cwd: root,
    // A group of its own, so that everything in it can be ended.
    detached: true,
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
  const closed = once(child, 'close');
  // It tidies up on these, and only then do we end.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => signalGroup(child, signal));
  const overdue = setTimeout(() => {
    text += `\nThe tests have not ended after ${limit} minutes, nor has their watchdog ended them: they are killed.\n`;
    signalGroup(child, 'SIGKILL');
  }, limit * 60_000);
  // What it left behind may hold its output open.
  child.once('exit', () => {
    clearTimeout(overdue);
    signalGroup(child, 'SIGKILL');
  });
  return async (now) => {
    live = now;
    const [code] = await closed;
    show();
    // The watchdog speaks after the sum. Without a sum it ended before it could make one.
    const sums = [...text.matchAll(/^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/gm)];
    const [last, passed = 0, failed = 0, skipped = 0] = sums.at(-1) ?? [];
    const rest = text.slice(shown);
    if (rest.trim() !== last) process.stdout.write(rest);
    return {
      ...{ code, ended: last !== undefined },
      ...{ passed: Number(passed), failed: Number(failed), skipped: Number(skipped) },
    };
  };
}

function signalGroup({ pid }, signal) {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // Nothing of it is there any more.
    if (error.code !== 'ESRCH') throw error;
  }
}
