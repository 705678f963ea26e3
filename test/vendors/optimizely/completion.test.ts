import assert from 'node:assert/strict';

import fc from 'fast-check';

import { finalities, type Finality } from '../../../model/delivery.js';
import type {
  Asked,
  Changes,
  Clock,
  Decision,
  Marker,
  Sighting,
  Standing,
} from '../../../vendors/completion.js';
import { decide } from '../../../vendors/optimizely/completion.js';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const start = Date.parse('2026-03-02T00:00:00Z');

const awaited = 'type=events/date=2026-03-01/_SUCCESS';
const marker: Marker = { key: awaited, version: '"d41d8cd98f00b204e9800998ecf8427e"' };
const nothing: Sighting = { awaited };
const seen: Sighting = { awaited, marker };
const fresh: Standing = { finality: 'waiting', published: false };
const nobody: Asked = { accepted: false, force: false };
const accepted: Asked = { accepted: true, force: false };
const forced: Asked = { accepted: false, force: true };

const at = (age: number, more: Partial<Clock> = {}): Clock => ({
  now: start + age,
  deadline: start + 3 * day,
  waitingSince: start,
  pollEvery: 15 * minute,
  ...more,
});
const loaded: Decision = { step: 'load', marker, finality: 'final', reason: `${awaited} is there.` };
const taken: Decision = { step: 'load', finality: 'final', reason: 'Accepted without its marker.' };
const standing = (finality: Finality): Standing => ({ finality, published: finality === 'final' });

describe('when a day is complete', () => {
  describe('the marker', () => {
    const cases: readonly (readonly [string, Clock])[] = [
      ['at the first look', at(0)],
      ['after 26 hours', at(26 * hour)],
      ['at the deadline', at(3 * day)],
      ['long after the deadline', at(90 * day)],
    ];
    for (const [when, clock] of cases) {
      it(`is enough ${when}`, () => assert.deepEqual(decide(seen, fresh, clock, nobody), loaded));
    }

    it('is named in the load even when the day was accepted without it', () => {
      assert.deepEqual(decide(seen, fresh, at(0), accepted), loaded);
    });
  });

  describe('without the marker', () => {
    it('an accepted day is loaded', () => {
      assert.deepEqual(decide(nothing, fresh, at(hour), accepted), taken);
      assert.deepEqual(decide(nothing, fresh, at(9 * day), accepted), taken);
    });

    it('being forced is not enough: what lies there may be half a day', () => {
      assert.equal(decide(nothing, standing('final'), at(0), forced).step, 'wait');
    });

    const intervals: readonly (readonly [age: number, next: number])[] = [
      [0, 15 * minute],
      [hour, 15 * minute],
      [2 * hour, 15 * minute],
      [4 * hour, 30 * minute],
      [16 * hour, 2 * hour],
      [32 * hour, 4 * hour],
      [60 * hour, 4 * hour],
      [71 * hour, hour],
      [3 * day - 1, 1],
    ];
    for (const [age, next] of intervals) {
      it(`${age / hour} hours into the wait the next look is ${next / minute} minutes away`, () => {
        const decision = decide(nothing, fresh, at(age), nobody);
        assert.equal(decision.step === 'wait' && decision.until - (start + age), next);
      });
    }

    it('says what it waits for and how long', () => {
      const decision = decide(nothing, fresh, at(hour), nobody);
      assert.equal(
        'reason' in decision && decision.reason,
        'type=events/date=2026-03-01/_SUCCESS is not there yet (waiting since 2026-03-02 00:00:00 UTC); ' +
          'the next look is at 2026-03-02 01:15:00 UTC, the last one at 2026-03-05 00:00:00 UTC.',
      );
    });

    it('gives up at the deadline, with what to do', () => {
      assert.deepEqual(decide(nothing, fresh, at(3 * day), nobody), {
        ...{ step: 'giveUp', as: 'failed' },
        reason:
          'type=events/date=2026-03-01/_SUCCESS was awaited until 2026-03-05 00:00:00 UTC and did not come. ' +
          'Nothing of it was published. ' +
          'Reprocess the delivery when the marker is there, or accept it to load what lies there without it.',
      });
    });

    it('tells whether readers still see an earlier load', () => {
      const decision = decide(nothing, { finality: 'failed', published: true }, at(4 * day), forced);
      assert.match('reason' in decision ? decision.reason : '', /The rows of its last load stay visible\./);
    });
  });

  describe('what the ledger says already', () => {
    const cases: readonly (readonly [Finality, Asked, Decision['step']])[] = [
      ['waiting', nobody, 'load'],
      ['loading', nobody, 'load'],
      ['provisional', nobody, 'load'],
      ['failed', nobody, 'load'],
      ['final', nobody, 'rest'],
      ['skipped', nobody, 'rest'],
      ['discarded', nobody, 'rest'],
      // A day that is complete and loaded is not made more complete by accepting it.
      ['final', accepted, 'rest'],
      ['skipped', accepted, 'load'],
      ['discarded', accepted, 'load'],
      ['final', forced, 'load'],
      ['skipped', forced, 'load'],
      ['discarded', forced, 'load'],
    ];
    for (const [finality, asked, step] of cases) {
      const who = asked.force ? 'reprocess' : asked.accepted ? 'accept' : 'nobody asking';
      it(`${finality}, ${who}: ${step}`, () => {
        assert.equal(decide(seen, standing(finality), at(0), asked).step, step);
      });
    }

    it('looks again at a delivery that failed, and gives up again when nothing changed', () => {
      assert.equal(decide(nothing, standing('failed'), at(4 * day), nobody).step, 'giveUp');
    });
  });

  describe('a final day whose files are others than were loaded', () => {
    const changes: Changes = {
      ...{ version: 'f2', total: 6, added: 2, rewritten: 1, removed: 3 },
      first: ['a', 'b', 'c', 'd', 'e'],
    };
    const changed: Sighting = { ...seen, changes };
    const final = standing('final');

    it('has to stand still for a minute, or for a poll where that is shorter', () => {
      const first = decide(changed, final, at(9 * day), nobody);
      assert.deepEqual([first.step, first.watch], ['wait', { version: 'f2', since: start + 9 * day }]);
      assert.equal(first.step === 'wait' && first.until, start + 9 * day + minute);
      const soon = decide(changed, final, at(9 * day, { pollEvery: 2_000 }), nobody);
      assert.equal(soon.step === 'wait' && soon.until, start + 9 * day + 2_000);
      const other = { ...changed, changes: { ...changes, version: 'f3' } };
      const again = decide(other, final, at(9 * day + minute), nobody, first.watch);
      assert.deepEqual([again.step, again.watch?.version], ['wait', 'f3']);
    });

    it('is loaded then, and the notice says what changed', () => {
      const watch = { version: 'f2', since: start + 9 * day };
      const decision = decide(changed, final, at(9 * day + minute), nobody, watch);
      assert.equal(decision.step, 'load');
      if (decision.step !== 'load') return;
      assert.deepEqual([decision.finality, decision.marker], ['final', marker]);
      assert.equal(
        decision.notice,
        'This day was final with other files: 2 files were added, 1 was rewritten and 3 were removed (a, b, c, d, e, …) ' +
          'after its marker, seen at 2026-03-11 00:01:00 UTC.',
      );
    });

    it('rests without its marker, and where nothing differs', () => {
      assert.equal(decide({ awaited, changes }, final, at(0), nobody).step, 'rest');
      const none = { version: 'f1', total: 0, added: 0, rewritten: 0, removed: 0, first: [] };
      assert.equal(decide({ ...seen, changes: none }, final, at(0), nobody).step, 'rest');
    });

    it('is left alone where a person ended it', () => {
      for (const finality of ['skipped', 'discarded'] as const)
        assert.equal(decide(changed, standing(finality), at(0), nobody).step, 'rest');
    });
  });

  describe('whatever happens', () => {
    const sightings = fc.constantFrom(nothing, seen);
    const standings = fc.record({ finality: fc.constantFrom(...finalities), published: fc.boolean() });
    const askings = fc.record({ accepted: fc.boolean(), force: fc.boolean() });
    const clocks = fc
      .record({
        now: fc.integer({ min: -5 * day, max: 400 * day }),
        deadline: fc.integer({ min: 0, max: 30 * day }),
        pollEvery: fc.integer({ min: 1, max: 2 * day }),
      })
      .map(({ now, deadline, pollEvery }) => ({
        now: start + now,
        deadline: start + deadline,
        waitingSince: start,
        pollEvery,
      }));

    const property = (check: (i: [Sighting, Standing, Clock, Asked], decision: Decision) => void): void => {
      fc.assert(
        fc.property(sightings, standings, clocks, askings, (...input) => check(input, decide(...input))),
        { numRuns: 1000 },
      );
    };

    it('a wait moves on and ends at the deadline at the latest', () => {
      property(([, , clock], decision) => {
        if (decision.step !== 'wait') return;
        assert.ok(decision.until > clock.now && decision.until <= clock.deadline);
      });
    });

    it('loads if and only if it does not rest and the marker is there or the day accepted', () => {
      property(([sighting, , , asked], decision) => {
        if (decision.step === 'rest') return;
        assert.equal(decision.step === 'load', sighting.marker !== undefined || asked.accepted);
        if (decision.step === 'load') assert.equal(decision.marker, sighting.marker);
      });
    });

    it('rests only on what is settled, and never when forced', () => {
      property(([, ledger, , asked], decision) => {
        if (decision.step !== 'rest') return;
        assert.ok(['final', 'skipped', 'discarded'].includes(ledger.finality) && !asked.force);
      });
    });

    it('gives up only at the deadline or after it', () => {
      property(([, , clock], decision) => {
        if (decision.step === 'giveUp') assert.ok(clock.now >= clock.deadline);
      });
    });
  });

  it('a wait of 3 days takes fewer than 45 looks, the last exactly at the deadline', () => {
    fc.assert(
      fc.property(fc.integer({ min: 15 * minute, max: day }), (pollEvery) => {
        const looks = looksOf(at(0, { pollEvery }));
        assert.ok(looks.length < 45, `${looks.length} looks`);
        assert.equal(looks.at(-1), start + 3 * day);
      }),
    );
    assert.equal(looksOf(at(0)).length, 43);
  });

  it('a marker that comes after 26 hours is noticed within an eighth of that', () => {
    const after = looksOf(at(0)).find((look) => look >= start + 26 * hour)!;
    assert.ok(after - (start + 26 * hour) <= (26 * hour) / 8);
  });
});

/** Instants of all looks until it gives up. */
function looksOf(clock: Clock): number[] {
  const looks = [clock.now];
  for (;;) {
    const decision = decide(nothing, fresh, { ...clock, now: looks.at(-1)! }, nobody);
    if (decision.step !== 'wait') return looks;
    looks.push(decision.until);
  }
}
