import assert from 'node:assert/strict';

import { makeExports } from './exports.js';
import { differences, run } from './run.js';

const kills = 20;

describe('five vendors that deliver while components are killed, frozen and reconfigured', function () {
  this.timeout(900_000);

  it(`${kills} kills later, tables and ledger equal those of an undisturbed run`, async () => {
    const seed = Number(process.env['LANDFALL_TEST_SEED'] ?? Date.now() % 1_000_000);
    console.log(`      LANDFALL_TEST_SEED=${seed}`);
    const steps: string[] = [];
    const say = (line: string): void => void steps.push(line);
    const exports = await makeExports(Date.now());
    const undisturbed = await run({ exports, kills: 0, seed, freezeFor: 0, say });
    try {
      const disturbed = await run({ exports, kills, seed, freezeFor: 4_000, say });
      assert.deepEqual(differences(undisturbed.content, disturbed.content), []);
      assert.equal(disturbed.kills, kills);
    } catch (error) {
      console.log(steps.map((step) => `      ${step}`).join('\n'));
      throw error;
    }
  });
});
