import assert from 'node:assert/strict';

import fc from 'fast-check';

import { finalities, type Finality } from '../../../model/delivery.js';
import type { Asked, Clock, Decision, Sighting, Standing } from '../../../vendors/completion.js';
import { decide } from '../../../vendors/dynatrace/completion.js';

const now = Date.parse('2026-11-20T12:00:00Z');
const awaited = 'its bodies in the inbox';
const marker = { key: '2026-11-20/1042.ndjson', version: 'a1' };
const there: Sighting = { awaited, marker };
const gone: Sighting = { awaited };
const clock: Clock = { now, deadline: now, waitingSince: now, pollEvery: 60_000 };
const nobody: Asked = { accepted: false, force: false };
const accepted: Asked = { accepted: true, force: false };
const forced: Asked = { accepted: false, force: true };
const standing = (finality: Finality, published = finality === 'final'): Standing => ({
  finality,
  published,
});

const reasonOf = (sighting: Sighting, ledger: Standing, asked: Asked): string =>
  decide(sighting, ledger, clock, asked).reason;

describe('when a batch of sessions is complete', () => {
  it('at once, for its bodies have come', () => {
    assert.deepEqual(decide(there, standing('waiting'), clock, nobody), {
      ...{ step: 'load', marker, finality: 'final' },
      reason: 'Its bodies are in the inbox.',
    });
  });

  const cases: readonly (readonly [Finality, Asked, whole: Decision['step'], without: Decision['step']])[] = [
    ['waiting', nobody, 'load', 'giveUp'],
    ['waiting', accepted, 'load', 'giveUp'],
    ['loading', nobody, 'load', 'giveUp'],
    ['failed', nobody, 'load', 'giveUp'],
    ['failed', forced, 'load', 'giveUp'],
    ['final', nobody, 'rest', 'rest'],
    ['final', accepted, 'rest', 'rest'],
    // What readers see cannot be made anew, and does not become worse for being asked for.
    ['final', forced, 'load', 'rest'],
    ['skipped', nobody, 'rest', 'rest'],
    ['skipped', accepted, 'load', 'giveUp'],
    ['skipped', forced, 'load', 'giveUp'],
    ['discarded', nobody, 'rest', 'rest'],
    ['discarded', accepted, 'load', 'giveUp'],
    ['discarded', forced, 'load', 'giveUp'],
  ];
  for (const [finality, asked, whole, without] of cases) {
    const who = asked.force ? 'reprocess' : asked.accepted ? 'accept' : 'nobody asking';
    it(`${finality}, ${who}: ${whole}; without its bodies: ${without}`, () => {
      assert.equal(decide(there, standing(finality), clock, asked).step, whole);
      assert.equal(decide(gone, standing(finality), clock, asked).step, without);
    });
  }

  it('says why what is final cannot be loaded again', () => {
    assert.equal(
      reasonOf(gone, standing('final'), forced),
      'Its bodies are no longer in the inbox, which keeps them for keepInbox after a delivery has come to rest. ' +
        'The rows of its last load stay visible. It cannot be loaded again.',
    );
  });

  it('says what is left to do about a batch that was never loaded', () => {
    assert.equal(
      reasonOf(gone, standing('failed'), nobody),
      'Its bodies are no longer in the inbox, which keeps them for keepInbox after a delivery has come to rest. ' +
        'Nothing of it was published. It cannot be loaded, and Dynatrace does not send its sessions again; ' +
        'skip it to leave it at that.',
    );
  });

  it('says until when a batch at rest can be loaded', () => {
    assert.equal(
      reasonOf(there, standing('skipped'), nobody),
      'It is skipped already and stays as it is; reprocess it to load it, while its bodies are in the inbox.',
    );
  });

  describe('whatever happens', () => {
    const property = (
      check: (sighting: Sighting, ledger: Standing, asked: Asked, decision: Decision) => void,
    ): void => {
      fc.assert(
        fc.property(
          fc.constantFrom(there, gone),
          fc.record({ finality: fc.constantFrom(...finalities), published: fc.boolean() }),
          fc.record({ now: fc.nat(), deadline: fc.nat(), waitingSince: fc.nat(), pollEvery: fc.nat() }),
          fc.record({ accepted: fc.boolean(), force: fc.boolean() }),
          (sighting, ledger, at, asked) =>
            check(sighting, ledger, asked, decide(sighting, ledger, at, asked)),
        ),
        { numRuns: 1_000 },
      );
    };

    it('it is never waited for, whatever the clock says', () => {
      property((_sighting, _ledger, _asked, { step }) => assert.ok(step !== 'wait' && step !== 'settle'));
    });

    it('it is loaded if and only if its bodies are there and it does not rest, and is final then', () => {
      property((sighting, { finality }, { force, accepted: all }, decision) => {
        const rests =
          !force && (finality === 'final' || ((finality === 'skipped' || finality === 'discarded') && !all));
        assert.equal(decision.step === 'load', sighting.marker !== undefined && !rests);
        if (decision.step === 'load') assert.equal(decision.finality, 'final');
      });
    });

    it('what readers see is never given up', () => {
      property((_sighting, { published }, _asked, { step }) => assert.ok(!(published && step === 'giveUp')));
    });

    it('nothing is given up while its bodies are there', () => {
      property((sighting, _ledger, _asked, { step }) => {
        if (step === 'giveUp') assert.equal(sighting.marker, undefined);
      });
    });

    it('reasons are sentences', () => {
      property((_sighting, _ledger, _asked, { reason }) => assert.match(reason, /^[A-Z].*\.$/));
    });
  });
});
