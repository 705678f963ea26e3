import assert from 'node:assert/strict';

import type { Asked, Decision, Standing } from '../../../vendors/completion.js';
import { decide } from '../../../vendors/megaphone/completion.js';
import { accepted, at, awaited, clock, file, final, forced, nobody, provisional, seen } from './case.js';

describe('a Megaphone day that came to rest', () => {
  describe('a final day', () => {
    it('rests while its file is the same', () => {
      assert.deepEqual(decide(seen('"a"'), final('"a"'), clock('22T12:00:00'), nobody), {
        step: 'rest',
        reason: `It is final, and ${awaited} has not changed since.`,
      });
    });

    it('is loaded again when its file has changed, provisional, and that is said', () => {
      assert.deepEqual(decide(seen('"b"'), final('"a"'), clock('22T12:00:00'), nobody), {
        step: 'load',
        marker: file('"b"'),
        finality: 'provisional',
        reason:
          `A final day changed: ${awaited} has a new version, seen at 2026-11-22 12:00:00 UTC. ` +
          'It is provisional, and final from 2026-11-22 13:00:00 UTC on if it stands still.',
        notice:
          `This day was final with version "a" of ${awaited}; the vendor wrote "b" afterwards, ` +
          'which was seen at 2026-11-22 12:00:00 UTC.',
        watch: { version: '"b"', since: at('22T12:00:00') },
      });
    });

    it('that was accepted without its file has changed when the file comes', () => {
      const decision = decide(
        seen('"a"'),
        { finality: 'final', published: true },
        clock('22T12:00:00'),
        nobody,
      );
      assert.equal(
        decision.step === 'load' && decision.notice,
        `This day was final without ${awaited}, which was seen at 2026-11-22 12:00:00 UTC.`,
      );
    });

    it('stays final when it is loaded again as it was', () => {
      const decision = decide(seen('"a"'), final('"a"'), clock('22T12:00:00'), forced);
      assert.equal(decision.step === 'load' && decision.finality, 'final');
      assert.equal('notice' in decision, false);
      // Not one that was accepted while the vendor still wrote it: the wish was for what lay there then.
      const early = decide(seen('"a"'), final('"a"'), clock('20T12:00:00'), forced);
      assert.equal(early.step === 'load' && early.finality, 'provisional');
    });
  });

  describe('what people ask for', () => {
    const skipped: Standing = { finality: 'skipped', published: true, version: '"a"' };
    const discarded: Standing = { finality: 'discarded', published: false };
    const failed: Standing = { finality: 'failed', published: true, version: '"a"' };
    const cases: readonly (readonly [string, Standing, Asked, Decision['step'], finality?: string])[] = [
      ['skipped, nobody asking', skipped, nobody, 'rest'],
      ['discarded, nobody asking', discarded, nobody, 'rest'],
      ['skipped, accept', skipped, accepted, 'settle'],
      ['discarded, accept', discarded, accepted, 'load', 'final'],
      ['skipped, reprocess', skipped, forced, 'load', 'provisional'],
      ['discarded, reprocess', discarded, forced, 'load', 'provisional'],
      ['failed, with rows of that version, nobody asking', failed, nobody, 'wait'],
      ['provisional, accept', provisional('"a"'), accepted, 'settle'],
      ['provisional in another version, accept', provisional('"b"'), accepted, 'load', 'final'],
      ['provisional, reprocess', provisional('"a"'), forced, 'load', 'provisional'],
      ['provisional, both', provisional('"a"'), { accepted: true, force: true }, 'load', 'final'],
      ['final, accept', final('"a"'), accepted, 'rest'],
      ['final in another version, accept', final('"b"'), accepted, 'load', 'final'],
    ];
    for (const [title, ledger, asked, step, finality] of cases) {
      it(`${title}: ${finality === undefined ? step : `${step}, ${finality}`}`, () => {
        const decision = decide(seen('"a"'), ledger, clock('20T12:00:00'), asked);
        assert.equal(decision.step, step);
        if (decision.step === 'load') assert.equal(decision.finality, finality);
      });
    }
  });
});
