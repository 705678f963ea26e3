/**
 * `npm run chaos -- --kills 1000 --seed 1`: run after run with 20 kills each, over the same exports, until there have been
 * so many kills. Prints how many runs ended with the tables and the ledger of a run that nothing disturbed.
 */

import { parseArgs } from 'node:util';

import { makeExports } from './exports.js';
import { differences, run } from './run.js';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '100' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    verbose: { type: 'boolean', default: false },
  },
});
const kills = Number(values.kills);
const seed = Number(values.seed);
if (!Number.isInteger(kills) || kills < 1 || !Number.isInteger(seed)) {
  console.error('usage: npm run chaos -- [--kills N] [--seed N] [--verbose]');
  process.exit(2);
}

const killsOfRun = 20;
const say = (line: string): void => {
  if (values.verbose) console.log(`  ${line}`);
};
console.log(`seed ${seed}`);
const exports = await makeExports(Date.now());
const undisturbed = await run({ exports, kills: 0, seed, freezeFor: 0, say });
console.log('undisturbed run: done');
const sum = {
  runs: 0,
  kills: 0,
  freezes: 0,
  signals: 0,
  reconfigurations: 0,
  equal: 0,
  different: 0,
  endedByThemselves: 0,
};
while (sum.kills < kills) {
  const seedOfRun = seed + sum.runs;
  sum.runs += 1;
  const started = Date.now();
  try {
    const wanted = Math.min(killsOfRun, kills - sum.kills);
    const result = await run({ exports, kills: wanted, seed: seedOfRun, freezeFor: 30_000, say });
    for (const name of ['kills', 'freezes', 'signals', 'reconfigurations'] as const)
      sum[name] += result[name];
    sum.endedByThemselves += result.endedByThemselves.length;
    for (const ending of result.endedByThemselves) console.log(ending);
    const found = differences(undisturbed.content, result.content);
    sum[found.length === 0 ? 'equal' : 'different'] += 1;
    for (const difference of found) console.log(difference);
  } catch (error) {
    sum.kills += killsOfRun;
    sum.different += 1;
    console.log(error instanceof Error ? error.message : String(error));
  }
  const seconds = Math.round((Date.now() - started) / 1_000);
  console.log(`run ${sum.runs} (seed ${seedOfRun}): ${seconds} s. ${write()}`);
}
console.log(write());
process.exit(sum.different === 0 ? 0 : 1);

function write(): string {
  return (
    `${sum.runs} runs, ${sum.kills} kills, ${sum.freezes} freezes, ${sum.signals} signals, ` +
    `${sum.reconfigurations} changes of the configuration: ${sum.equal} equal, ${sum.different} different. ` +
    `${sum.endedByThemselves} processes ended by themselves and were started again.`
  );
}
