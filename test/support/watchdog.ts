/** Ends a run that does not end by itself, with exit code 1, and says what is open. */
import { spawnSync } from 'node:child_process';
import { writeSync } from 'node:fs';

import { listOpened } from './opened.js';
import { listEndings } from './shared.js';

const minute = 60_000;

/** How long the tests of one process may take. */
const limit = numberFrom('LANDFALL_TEST_LIMIT', 60) * minute;
/** How long a process may live after its last test. */
const exitWithin = numberFrom('LANDFALL_TEST_EXIT_WITHIN', 60) * 1_000;

/** `current` names the test that runs. */
export function watchRun(current: () => string | undefined): void {
  after(limit, () => `The tests take longer than ${limit / minute} minutes; now runs "${current()}".`);
}

export function watchExit(): void {
  after(exitWithin, () => `The tests are over, and the process has not ended for ${exitWithin / 1_000} s.`);
}

function numberFrom(variable: string, otherwise: number): number {
  return Number(process.env[variable] ?? otherwise);
}

/** Nothing waits for the timer: it goes off only while something else keeps the process from ending. */
function after(ms: number, sentence: () => string): void {
  setTimeout(() => end(sentence()), ms).unref();
}

function end(sentence: string): never {
  const lines = [
    sentence,
    ...describe('Open', listOpened()),
    ...describe('Being ended, or not yet', listEndings()),
    ...describe('Child processes', children()),
    ...describe('Resources of Node', count(process.getActiveResourcesInfo())),
  ];
  // A console may be a pipe, which is written to later: never, for a process that ends.
  writeSync(2, `\n${lines.join('\n')}\n`);
  for (const line of children()) process.kill(Number(line.split(' ', 1)[0]), 'SIGKILL');
  // Mocha sets the exit code when the process exits; so this comes after.
  process.on('exit', () => (process.exitCode = 1));
  process.exit(1);
}

function describe(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [`${title}:`, ...lines.map((line) => `  ${line}`)];
}

/** `4711 node …`, whoever started them: Temporal's SDK starts its server without Node. */
function children(): readonly string[] {
  const listed = spawnSync('ps', ['-A', '-o', 'ppid=,pid=,args='], { encoding: 'utf8' });
  if (listed.status !== 0) return [];
  return listed.stdout
    .split('\n')
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line))
    .filter((found) => found !== null)
    .filter(([, parent, pid]) => Number(parent) === process.pid && Number(pid) !== listed.pid)
    .map(([, , pid, command = '']) => `${pid} ${command.slice(0, 200)}`);
}

function count(names: readonly string[]): readonly string[] {
  return [...new Set(names)].map((name) => `${names.filter((other) => other === name).length} × ${name}`);
}
