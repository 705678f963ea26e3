import assert from 'node:assert/strict';

import { csvKinds } from '../../../vendors/leanplum/layout.js';
import type { Decision, Standing } from '../../../vendors/completion.js';
import { decide } from '../../../vendors/leanplum/completion.js';
import {
  at,
  byPerson,
  byRule,
  clock,
  day,
  folder,
  forced,
  fresh,
  hour,
  job,
  manifest,
  minute,
  nameOf,
  nobody,
  shard,
  sight,
  start,
} from './case.js';

const awaited = `${folder}export-7-${job}-output-manifest`;
const marker = { key: awaited, version: 'm-json' };
const complete = sight(shard(0), shard(1), manifest([0, 1]));
const withoutManifest = sight(shard(0), shard(1));
const withoutShard = sight(shard(0), manifest([0, 1]));

const told = (decision: Decision): string =>
  decision.step === 'giveUp' ? `${decision.step} ${decision.as}` : decision.step;

describe('when a Leanplum job is loaded', () => {
  describe('with its manifest', () => {
    it('and every shard that it lists, at once', () => {
      assert.deepEqual(decide(complete, fresh, clock('20T11:00'), nobody), {
        ...{ step: 'load', marker, finality: 'final', take: 'listed' },
        reason: 'The manifest is there, and so are all 2 shards that it lists.',
      });
    });

    it('leaving alone what it does not list, and saying so', () => {
      const more = sight(shard(0), shard(1), shard(2), shard(3), manifest([0]));
      const left =
        '3 shards of the job are in no manifest and were left alone ' +
        `(${nameOf('json', 1)}, ${nameOf('json', 2)}, ${nameOf('json', 3)}).`;
      assert.deepEqual(decide(more, fresh, clock('20T11:00'), nobody), {
        ...{ step: 'load', marker, finality: 'final', take: 'listed' },
        reason: `The manifest is there, and so is the shard that it lists. ${left}`,
        notice: left,
      });
    });

    it('that lists nothing: a job without sessions', () => {
      assert.deepEqual(decide(sight(manifest([])), fresh, clock('20T11:00'), nobody), {
        ...{ step: 'load', marker, finality: 'final', take: 'listed' },
        reason: 'The manifest is there, and it lists no shard: a job without sessions.',
      });
    });

    it('however late it comes', () => {
      assert.equal(decide(complete, fresh, clock('29T00:00'), nobody).step, 'load');
    });

    it('in CSV with all six', () => {
      const things = csvKinds.flatMap((kind) => [shard(0, kind), manifest([0], kind)]);
      const decision = decide(sight(...things), fresh, clock('20T11:00'), nobody);
      assert.equal(decision.step, 'load');
      assert.equal(decision.reason, 'All manifests are there, and so are all 6 shards that they list.');
      const five = sight(...things.slice(0, -1));
      assert.equal(decide(five, fresh, clock('20T11:00'), nobody).step, 'wait');
    });
  });

  describe('without its manifest', () => {
    it('it waits', () => {
      assert.deepEqual(decide(withoutManifest, fresh, clock('20T10:30'), nobody), {
        step: 'wait',
        until: at('20T10:45'),
        reason:
          `${awaited} is not there yet (2 shards are there, the first file since 2026-11-20 10:00:00 UTC); ` +
          'the next look is at 2026-11-20 10:45:00 UTC, and without it the job is discarded at 2026-11-21 10:00:00 UTC.',
        summary: 'next look 2026-11-20 10:45Z, no manifest yet',
        note: `${awaited} is awaited until 2026-11-21 10:00Z; without it the job is discarded.`,
      });
    });

    it('in CSV, saying which are missing', () => {
      const two = sight(manifest([], 'sessions'), manifest([], 'states'), shard(0, 'events'));
      const decision = decide(two, fresh, clock('20T11:00'), nobody);
      assert.ok(decision.step === 'wait');
      assert.match(
        decision.reason,
        /-output\{experiments,events,eventparameters,userattributes\}-manifest is not/,
      );
      assert.equal(decision.summary, 'next look 2026-11-20 11:15Z, 2 of 6 manifests');
    });

    it('rarer with time, and never past the end', () => {
      const until = (now: string): number => {
        const decision = decide(withoutManifest, fresh, clock(now), nobody);
        return decision.step === 'wait' ? decision.until : assert.fail(decision.step);
      };
      assert.equal(until('20T11:59') - at('20T11:59'), 15 * minute);
      assert.equal(until('20T22:00') - at('20T22:00'), 1.5 * hour);
      assert.equal(until('21T09:59'), start + day);
    });

    it('it is discarded 24 hours after its first file', () => {
      assert.deepEqual(decide(withoutManifest, fresh, clock('21T10:00'), nobody), {
        step: 'giveUp',
        as: 'discarded',
        reason:
          `${awaited} was awaited until 2026-11-21 10:00:00 UTC and did not come (2 shards are there). ` +
          'The vendor did not complete the upload, and nothing of it was staged: its next job that succeeds sends these ' +
          'sessions again. If the manifest comes after all, the job is loaded.',
      });
    });

    it('or after discardAfter', () => {
      const short = clock('20T11:00', { discardAfter: hour });
      assert.equal(told(decide(withoutManifest, fresh, short, nobody)), 'giveUp discarded');
    });

    it('it is not discarded when readers see an earlier load of it', () => {
      const published: Standing = { finality: 'final', published: true, version: 'm-json' };
      const decision = decide(withoutManifest, published, clock('25T10:00'), forced);
      assert.equal(told(decision), 'giveUp failed');
      assert.match(decision.reason, /did not come .* The rows of its last load stay visible\./);
    });
  });

  describe('that was discarded without its manifest', () => {
    it('rests while that does not come', () => {
      assert.deepEqual(decide(withoutManifest, byRule, clock('25T10:00'), nobody), {
        step: 'rest',
        reason: `It is discarded, and ${awaited} has not come since.`,
      });
    });

    it('is taken up again when it does', () => {
      const decision = decide(complete, byRule, clock('25T10:00'), nobody);
      assert.equal(
        decision.reason,
        'The job was discarded without its manifest, which has come after all. ' +
          'The manifest is there, and so are all 2 shards that it lists.',
      );
      assert.equal(decision.step, 'load');
    });

    it('also when shards are still missing: it waits for them, and fails', () => {
      const late = sight(shard(0), manifest([0, 1], 'json', { modified: at('25T10:00') }));
      assert.equal(told(decide(late, byRule, clock('25T10:30'), nobody)), 'wait');
      assert.equal(told(decide(late, byRule, clock('25T12:00'), nobody)), 'giveUp failed');
    });

    it('is not taken up when a person discarded it', () => {
      assert.deepEqual(decide(complete, byPerson, clock('25T10:00'), nobody), {
        step: 'rest',
        reason: 'It is discarded and stays as it is; reprocess it to load it.',
      });
    });
  });

  describe('that is final, and whose files are others than were loaded', () => {
    const final: Standing = { finality: 'final', published: true, version: 'm-json' };
    const changes = {
      version: 'f2',
      total: 1,
      added: 0,
      rewritten: 1,
      removed: 0,
      first: [nameOf('json', 1)],
    };

    it('is loaded again when it is whole, with a notice', () => {
      const decision = decide({ ...complete, changes }, final, clock('25T10:00'), nobody);
      assert.equal(told(decision), 'load');
      assert.equal(
        decision.step === 'load' && decision.notice,
        `This job was final with other files: 1 file was rewritten (${nameOf('json', 1)}) since.`,
      );
    });

    it('rests while it is not whole, and where nothing differs', () => {
      const rests = (sighting: typeof complete): void =>
        assert.equal(told(decide(sighting, final, clock('25T10:00'), nobody)), 'rest');
      rests({ ...withoutShard, changes });
      rests({ ...complete, changes: { ...changes, total: 0, rewritten: 0, first: [] } });
    });
  });

  describe('when a shard that is listed is not there', () => {
    it('waits for it', () => {
      assert.deepEqual(decide(withoutShard, fresh, clock('20T11:05'), nobody), {
        step: 'wait',
        until: at('20T11:20'),
        reason:
          `1 of the 2 listed shards is missing or not whole (${nameOf('json', 1)}). The next look is at ` +
          '2026-11-20 11:20:00 UTC; the delivery fails unless that is mended by 2026-11-20 13:00:00 UTC.',
        summary: 'next look 2026-11-20 11:20Z, 1 of 2 shards missing',
        note:
          `1 of the 2 listed shards is missing or not whole (${nameOf('json', 1)}). That is awaited until ` +
          '2026-11-20 13:00Z; otherwise the delivery fails.',
      });
    });

    it('no longer than uploadGrace from the newest manifest on', () => {
      const decision = decide(withoutShard, fresh, clock('20T12:55'), nobody);
      assert.equal(decision.step === 'wait' && decision.until, at('20T13:00'));
    });

    it('then fails, and says what to do', () => {
      assert.deepEqual(decide(withoutShard, fresh, clock('20T13:00'), nobody), {
        step: 'giveUp',
        as: 'failed',
        reason:
          `1 of the 2 listed shards is missing or not whole (${nameOf('json', 1)}). The wait for that to be mended ended ` +
          'at 2026-11-20 13:00:00 UTC. Nothing of it was published. Reprocess the delivery when everything is there, or ' +
          'accept it to load what lies there without the rest.',
      });
    });

    it('names five at most', () => {
      const many = sight(manifest([0, 1, 2, 3, 4, 5, 6]));
      const { reason } = decide(many, fresh, clock('20T13:00'), nobody);
      assert.match(reason, /^7 of the 7 listed shards are missing or not whole \((?:[^,]+, ){5}…\)\./);
    });

    it('takes one of another size for one that is not whole', () => {
      const partial = sight(shard(0), manifest([{ name: nameOf('json', 0), size: 300 }]));
      assert.match(
        decide(partial, fresh, clock('20T11:00'), nobody).reason,
        /^The one listed shard is missing or not whole \(export-7-.*-output-0 \(100 of 300 bytes\)\)\./,
      );
    });
  });

  describe('when its manifest cannot be used', () => {
    const broken = sight(shard(0), manifest('It is no JSON; it begins with {.'));

    it('waits as for a shard', () => {
      const decision = decide(broken, fresh, clock('20T11:00'), nobody);
      assert.ok(decision.step === 'wait');
      assert.match(
        decision.reason,
        /-manifest cannot be used\. It is no JSON; it begins with \{\. The next look/,
      );
      assert.equal(decision.summary, 'next look 2026-11-20 11:15Z, what is there cannot be used');
    });

    it('then fails', () => {
      const decision = decide(broken, fresh, clock('20T13:00'), nobody);
      assert.equal(told(decision), 'giveUp failed');
      assert.match(decision.reason, /cannot be used\. It is no JSON; .* Nothing of it was published\./);
    });
  });
});
