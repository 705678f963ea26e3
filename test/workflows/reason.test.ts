import assert from 'node:assert/strict';

import { noReason, notUnderstood, readReason } from '../../workflows/reason.js';

describe('what people say with a signal', () => {
  it('is a reason, as an object or a bare text', () => {
    assert.equal(readReason({ reason: ' a legal request ' }), 'a legal request');
    assert.equal(readReason('a legal request'), 'a legal request');
    for (const nothing of [undefined, null, '', ' ', 7, {}, { reason: 7 }]) {
      assert.equal(readReason(nothing as never), noReason, JSON.stringify(nothing));
    }
  });

  it('has nothing that the ledger would refuse', () => {
    assert.equal(readReason({ reason: 'a\0b\0' }), 'a b');
    assert.equal(readReason('\0'), noReason);
    assert.equal(readReason('x'.repeat(3_000)).length, 2_000);
  });

  it('is repeated to who sends a signal that is none', () => {
    assert.equal(
      notUnderstood('stpo', { reason: 'enough' }, 'A backfill', ['stop']),
      "There is no signal 'stpo'; did you mean 'stop'? Nothing was done about it (enough). A backfill takes stop.",
    );
  });
});
