import assert from 'node:assert/strict';

import type { Asked, Decision, Standing, Watch } from '../../../vendors/completion.js';
import { decide } from '../../../vendors/monetate/completion.js';
import { stoodStill } from '../../../vendors/monetate/day-case.js';
import { accepted, at, clock, file, forced, fresh, loaded, next, nobody, own, quiet, sight } from './case.js';

const files = [file('20T00:00'), file('20T23:45')];
const still = at('21T12:00');
const before: Watch = { version: 'x', since: at('21T00:30') };
const seen = sight(files, { still });
const skipped: Standing = { finality: 'skipped', published: false };

const told = (decision: Decision): string =>
  decision.step === 'giveUp' ? `${decision.step} ${decision.as}` : decision.step;

describe('when people ask for a Monetate day', () => {
  describe('when it is accepted', () => {
    it('it is final as it is, and keeps what was wrong with that', () => {
      const growing = sight([...files, file('21T00:00')], { still: at('20T12:00'), unloaded: 1 });
      const decision = decide(growing, fresh, clock('21T01:00'), accepted, before);
      const reason =
        `Somebody accepted the day as it is, with 2 files in ${own}. Sessions of it may come until ` +
        `2026-11-21 12:30:00 UTC. 1 file in ${own} was perhaps still being written ` +
        `(20261120T234500.000Z_PT15M-1.json.gz). Sessions of it may be in 1 file in ${next} that was not loaded.`;
      assert.ok(decision.step === 'load' && decision.finality === 'final');
      assert.deepEqual([decision.reason, decision.notice], [reason, reason]);
      assert.deepEqual([decision.marker, decision.upTo], [growing.everything, undefined]);
    });

    it('what is loaded already settles', () => {
      const decision = decide(seen, loaded(files), clock('21T01:00'), accepted, before);
      assert.equal(told(decision), 'settle');
    });

    it('with nothing wrong there is nothing to notice', () => {
      const decision = decide(seen, fresh, clock(quiet), accepted, before);
      assert.ok(decision.step === 'load');
      assert.equal(decision.notice, undefined);
    });

    it('at the first look it waits for the second, a minute later', () => {
      const decision = decide(sight(files), fresh, clock(quiet), accepted);
      assert.equal(decision.step === 'wait' && decision.until, quiet + 60_000);
    });

    it('without a file it is an empty day', () => {
      const decision = decide(sight([], { folders: [] }), fresh, clock('21T01:00'), accepted);
      assert.ok(decision.step === 'load' && decision.finality === 'final' && !decision.marker);
      assert.match(decision.reason, /^Somebody accepted the day as it is, with no file in /);
    });
  });

  describe('older than 820 days', () => {
    const old = { ...clock(Date.parse('2029-02-17T00:00:00Z')) };

    it('it fails and says so', () => {
      assert.deepEqual(decide(seen, fresh, old, nobody, before).step, 'giveUp');
      assert.equal(
        decide(seen, fresh, old, nobody, before).reason,
        'Monetate keeps files for 820 days, and those of this day go since 2029-02-17 00:00:00 UTC; there are 2 files in ' +
          `${own}, and nobody can tell whether these are all. Nothing of it was published. Accept the delivery to load ` +
          'what lies there.',
      );
      assert.match(decide(sight([]), fresh, old, nobody).reason, /; there are no file|; there is no file/);
    });

    it('also when it is asked for again: what readers see stays', () => {
      const decision = decide(sight([]), loaded(files, 'final'), old, forced);
      assert.equal(told(decision), 'giveUp failed');
      assert.match(decision.reason, /The rows of its last load stay visible\./);
    });

    it('a final one rests', () => {
      assert.deepEqual(decide(sight([]), loaded(files, 'final'), old, nobody), {
        step: 'rest',
        reason: 'It is final, and Monetate no longer keeps all of its files.',
      });
    });

    it('accepted, what is there is loaded with a notice', () => {
      const decision = decide(seen, fresh, old, accepted, before);
      assert.ok(decision.step === 'load' && decision.finality === 'final');
      assert.match(decision.notice ?? '', /Monetate no longer keeps all of its files since 2029-02-17/);
    });
  });

  describe('that is final', () => {
    it('rests while its files are those that were loaded', () => {
      for (const [sighting, reason] of [
        [seen, `It is final, and the files in ${own} have not changed since.`],
        [sight([]), `It is final, and there is no file in ${own} now.`],
      ] as const) {
        assert.deepEqual(decide(sighting, loaded(files, 'final'), clock('22T00:00'), nobody), {
          ...{ step: 'rest', reason },
        });
      }
    });

    it('is loaded when there are others, and says so until it is final again', () => {
      const late = file('20T23:45', { unique: 9, modified: at('22T00:00') });
      const first = decide(sight([...files, late]), loaded(files, 'final'), clock('22T01:00'), nobody);
      assert.equal(told(first), 'wait');
      const sighting = sight([...files, late], { still: stoodStill(first.watch, clock('22T01:01')) });
      const decision = decide(sighting, loaded(files, 'final'), clock('22T01:01'), nobody, first.watch);
      assert.ok(decision.step === 'load' && decision.finality === 'provisional');
      assert.match(decision.reason, /^A final day changed: 3 files in /);
      assert.equal(
        decision.notice,
        `This day was final with other files in ${own} than those that were seen at 2026-11-22 01:01:00 UTC.`,
      );
    });

    it('stays final when it is loaded again as it was', () => {
      const decision = decide(seen, loaded(files, 'final'), clock('22T01:00'), forced, before);
      assert.ok(decision.step === 'load' && decision.finality === 'final');
    });
  });

  const cases: readonly (readonly [string, Standing, Asked, string])[] = [
    ['final, accept', loaded(files, 'final'), accepted, 'rest'],
    ['skipped, nobody asking', skipped, nobody, 'rest'],
    ['skipped, accept', skipped, accepted, 'load'],
    ['skipped, reprocess', skipped, forced, 'load'],
    ['discarded, nobody asking', { finality: 'discarded', published: false }, nobody, 'rest'],
    ['discarded, reprocess', { finality: 'discarded', published: false }, forced, 'load'],
    ['provisional, reprocess', loaded(files), forced, 'load'],
    ['failed, nobody asking', { finality: 'failed', published: false }, nobody, 'load'],
  ];
  for (const [title, ledger, asked, step] of cases) {
    it(`${title}: ${step}`, () => {
      assert.equal(told(decide(seen, ledger, clock('22T01:00'), asked, before)), step);
    });
  }
});
