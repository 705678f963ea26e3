import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';

import { openLog } from '../../worker/log.js';
import { skip } from '../support/skip.js';

describe('the log', () => {
  it('ends nothing where the disk is full', async function () {
    if (!existsSync('/dev/full')) skip(this, 'there is no /dev/full.');
    const log = openLog('/dev/full');
    for (let line = 0; line < 3; line += 1) {
      assert.doesNotThrow(() => log.error('A line that finds no room.'));
      // An 'error' event that nobody hears would be thrown here.
      await setImmediate();
    }
  });
});
