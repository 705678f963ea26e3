import assert from 'node:assert/strict';

import type { Asked, Decision, Standing } from '../../../vendors/completion.js';
import { decide } from '../../../vendors/leanplum/completion.js';
import {
  accepted,
  at,
  byPerson,
  byRule,
  clock,
  failed,
  final,
  folder,
  forced,
  fresh,
  job,
  manifest,
  nameOf,
  nobody,
  shard,
  sight,
} from './case.js';

const awaited = `${folder}export-7-${job}-output-manifest`;
const marker = { key: awaited, version: 'm-json' };
const complete = sight(shard(0), shard(1), manifest([0, 1]));
const withoutManifest = sight(shard(0), shard(1));
const withoutShard = sight(shard(0), manifest([0, 1]));

const told = (decision: Decision): string =>
  decision.step === 'giveUp' ? `${decision.step} ${decision.as}` : decision.step;

describe('when people ask for a Leanplum job', () => {
  describe('when it is accepted', () => {
    it('without manifest it takes every shard', () => {
      const reason =
        'Somebody accepted the job as it is, with 2 shards there. ' +
        'Its manifest is not there; shards that no manifest speaks of are all taken.';
      assert.deepEqual(decide(withoutManifest, fresh, clock('20T11:00'), accepted), {
        ...{ step: 'load', finality: 'final', reason, notice: reason, take: 'all' },
      });
    });

    it('without a shard it takes the others', () => {
      const decision = decide(withoutShard, failed, clock('21T11:00'), accepted);
      assert.ok(decision.step === 'load');
      assert.deepEqual(decision.marker, marker);
      assert.equal(
        decision.notice,
        'Somebody accepted the job as it is, with 1 shard there. ' +
          `1 of the 2 listed shards is missing or not whole (${nameOf('json', 1)}).`,
      );
    });

    it('with some manifests of CSV it says which are not there', () => {
      const things = [shard(0, 'sessions'), shard(0, 'events'), shard(1, 'sessions')];
      const decision = decide(
        sight(manifest([0], 'sessions'), ...things),
        fresh,
        clock('20T11:00'),
        accepted,
      );
      assert.ok(decision.step === 'load');
      assert.equal(
        decision.notice,
        'Somebody accepted the job as it is, with 3 shards there. ' +
          'The manifests of experiments, states, events, eventparameters, userattributes are not there; ' +
          'shards that no manifest speaks of are all taken. ' +
          `1 shard of the job is in no manifest and was left alone (${nameOf('sessions', 1)}).`,
      );
    });

    it('with a manifest that cannot be used it says so', () => {
      const decision = decide(sight(shard(0), manifest('It is empty.')), fresh, clock('20T11:00'), accepted);
      assert.ok(decision.step === 'load');
      assert.match(decision.notice ?? '', / with 1 shard there\. export-.* cannot be used\. It is empty\.$/);
    });

    it('complete, it is a load like any other', () => {
      assert.deepEqual(
        decide(complete, fresh, clock('20T11:00'), accepted),
        decide(complete, fresh, clock('20T11:00'), nobody),
      );
    });

    it('with nothing there it fails at once', () => {
      const decision = decide(sight(), fresh, clock('20T11:00'), accepted);
      assert.equal(told(decision), 'giveUp failed');
    });
  });

  describe('of which there is no file', () => {
    it('is looked for until the deadline', () => {
      assert.deepEqual(decide(sight(), fresh, clock('20T11:00'), nobody), {
        step: 'wait',
        until: at('20T11:15'),
        reason:
          'There is no file of the job in the store (looking since 2026-11-20 10:00:00 UTC); the next look is at ' +
          '2026-11-20 11:15:00 UTC, the last one at 2026-11-24 00:00:00 UTC.',
        summary: 'next look 2026-11-20 11:15Z, no file yet',
        note: 'A file of the job is awaited until 2026-11-24 00:00Z.',
      });
      const decision = decide(sight(), fresh, clock('24T00:00'), nobody);
      assert.equal(told(decision), 'giveUp failed');
    });

    it('rests when it is final or discarded: files may be deleted after a while', () => {
      for (const ledger of [final, byRule, byPerson]) {
        assert.equal(decide(sight(), ledger, clock('24T00:00'), nobody).step, 'rest');
      }
    });
  });

  describe('what they may ask for', () => {
    const skipped: Standing = { finality: 'skipped', published: false };
    const cases: readonly (readonly [string, Standing, Asked, string])[] = [
      ['final, nobody asking', final, nobody, 'rest'],
      ['final, accept', final, accepted, 'rest'],
      ['final, reprocess', final, forced, 'load'],
      ['skipped, nobody asking', skipped, nobody, 'rest'],
      ['skipped, accept', skipped, accepted, 'load'],
      ['skipped, reprocess', skipped, forced, 'load'],
      ['discarded by a person, accept', byPerson, accepted, 'load'],
      ['discarded by a person, reprocess', byPerson, forced, 'load'],
      ['failed, nobody asking', failed, nobody, 'load'],
    ];
    for (const [title, ledger, asked, step] of cases) {
      it(`${title}: ${step}`, () =>
        assert.equal(told(decide(complete, ledger, clock('22T11:00'), asked)), step));
    }

    it('a final job rests when its manifest changes, and says so', () => {
      const changed = sight(shard(0), manifest([0], 'json', { version: 'newer' }));
      const decision = decide(changed, final, clock('22T11:00'), nobody);
      assert.equal(decision.step, 'rest');
      assert.match(decision.reason, /^It is final\. What its manifest says has changed since, /);
    });
  });
});
