import assert from 'node:assert/strict';

import type { Fault } from '../../activities/fault-table.js';
import { judge, type Circumstances } from '../../activities/verdict.js';

const minute = 60_000;
const now = Date.parse('2026-11-20T14:30:00Z');
const usual: Circumstances = {
  ...{ step: 'look', ofDelivery: true, attempt: 1, streak: { faults: 0 }, refusalGrace: 30 * minute, now },
};
const refusal: Fault = {
  handling: 'refused',
  type: 'AccessDenied',
  message: 'Refused, then reprocess the delivery.',
};
const refusedFor = (milliseconds: number, more: Partial<Circumstances> = {}): Circumstances => ({
  ...{ ...usual, streak: { faults: 0, refusedFor: milliseconds } },
  ...more,
});

describe('a step that failed', () => {
  it('by what passes is tried again after 1 second, then after twice as long, at most 5 minutes, for ever', () => {
    const fault: Fault = {
      handling: 'passing',
      type: 'StoreUnavailable',
      message: 'It failed: 500. It is retried.',
    };
    assert.deepEqual(judge(fault, usual), {
      kind: 'retry',
      told: {
        reason: "It failed: 500. Attempt 1 of step 'look'; it is tried again at 2026-11-20 14:30:01 UTC.",
        retryAt: now + 1_000,
      },
    });
    for (const [attempt, after] of [
      [4, 8_000],
      [10, 5 * minute],
      [1_000_000, 5 * minute],
    ] as const) {
      const verdict = judge(fault, { ...usual, attempt });
      assert.equal(verdict.kind === 'retry' && verdict.told?.retryAt, now + after);
    }
  });

  it('is tried again when the other side asks for it', () => {
    const verdict = judge({ handling: 'passing', message: 'Later.', retryIn: 7 * minute }, usual);
    assert.ok(verdict.kind === 'retry' && verdict.delay === 7 * minute);
    assert.equal(verdict.told?.retryAt, now + 7 * minute);
  });

  it('is not said to be tried again where its policy allows no more: the workflow decides', () => {
    const verdict = judge({ handling: 'passing', message: 'Not reached.' }, { ...usual, most: 1 });
    assert.deepEqual(verdict, {
      kind: 'retry',
      told: { reason: "Not reached. Attempt 1 of step 'look'; the workflow decides what is done next." },
    });
  });

  describe('since it was refused', () => {
    it('is tried again until refusalGrace has passed, however many attempts there were before', () => {
      const verdict = judge(refusal, refusedFor(20 * minute, { attempt: 90 }));
      assert.ok(verdict.kind === 'retry');
      assert.equal(
        verdict.told?.reason,
        "Refused. Attempt 90 of step 'look'; it is tried again at 2026-11-20 14:35:00 UTC, and until 2026-11-20 " +
          '14:40:00 UTC (refusalGrace).',
      );
    });

    it('is tried again at its end at the latest, and fails then', () => {
      const verdict = judge(refusal, refusedFor(29 * minute, { attempt: 12 }));
      assert.ok(verdict.kind === 'retry' && verdict.delay === minute);
      assert.deepEqual(judge(refusal, refusedFor(30 * minute)), {
        kind: 'fail',
        message:
          'Refused, then reprocess the delivery. It was refused for 30 minutes. The schedule takes the delivery up again ' +
          'once the store answers.',
      });
    });

    it('fails at once with a grace of 0', () => {
      const verdict = judge(refusal, refusedFor(0, { refusalGrace: 0, ofDelivery: false }));
      assert.deepEqual(verdict, { kind: 'fail', message: 'Refused, then reprocess the delivery.' });
    });

    it('gets the second try of a login that may be tried twice an hour, and no third one', () => {
      const held = { ...refusal, retryIn: 30 * minute };
      const first = judge(held, refusedFor(5));
      assert.ok(first.kind === 'retry' && first.delay === 30 * minute);
      assert.equal(judge(held, refusedFor(30 * minute)).kind, 'fail');
      // A short grace is no reason to try earlier, nor to wait longer than it.
      const short = judge(held, refusedFor(5, { refusalGrace: 2 * minute }));
      assert.ok(short.kind === 'retry' && short.delay === 2 * minute - 5);
    });

    it('does not fail while the ledger cannot be told', () => {
      assert.equal(judge(refusal, { ...usual, streak: undefined, attempt: 1_000 }).kind, 'retry');
    });
  });

  describe('by an error that is not expected', () => {
    const fault: Fault = { handling: 'unexpected', type: 'ProgramFault', message: 'TypeError: x.' };
    const after = (faults: number, more: Partial<Circumstances> = {}) =>
      judge(fault, { ...usual, attempt: 100, streak: { faults }, ...more }).kind;

    it('fails after five of them in a row, whatever failed before', () => {
      assert.deepEqual(
        [1, 4, 5, 6].map((faults) => after(faults)),
        ['retry', 'retry', 'fail', 'fail'],
      );
    });

    it('fails after five attempts where the ledger cannot count, unless that is what is wrong', () => {
      assert.equal(after(0, { streak: undefined, attempt: 5 }), 'fail');
      const unset: Fault = { ...fault, type: 'ConfigInvalid' };
      assert.equal(judge(unset, { ...usual, streak: undefined, attempt: 99 }).kind, 'retry');
      assert.equal(judge(unset, { ...usual, streak: { faults: 5 } }).kind, 'fail');
    });
  });

  it('on a worker without its source never fails, and is told of once three attempts met none', () => {
    const fault: Fault = { handling: 'elsewhere', type: 'SourceMissing', message: 'No worker has it.' };
    const told = [1, 2, 3, 50_000].map((attempt) => judge(fault, { ...usual, attempt }));
    assert.deepEqual(
      told.map(({ kind }) => kind),
      ['retry', 'retry', 'retry', 'retry'],
    );
    assert.deepEqual(
      told.map((verdict) => verdict.kind === 'retry' && [verdict.delay, verdict.told !== undefined]),
      [
        [5_000, false],
        [10_000, false],
        [15_000, true],
        [minute, true],
      ],
    );
  });

  it('fails at once where only a person can mend it, and goes back to the workflow where that decides', () => {
    const wrong: Fault = { handling: 'final', type: 'ConfigInvalid', message: 'Wrong.' };
    assert.deepEqual(judge(wrong, usual), { kind: 'fail', message: 'Wrong.' });
    assert.deepEqual(judge({ ...wrong, type: 'FileChanged' }, usual), { kind: 'return' });
  });
});
