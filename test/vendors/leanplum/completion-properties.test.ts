import assert from 'node:assert/strict';

import fc from 'fast-check';

import { finalities } from '../../../model/delivery.js';
import type { Asked, Decision, Standing } from '../../../vendors/completion.js';
import { decide, type JobClock } from '../../../vendors/leanplum/completion.js';
import { csvKinds, parseKey, type Kind } from '../../../vendors/leanplum/layout.js';
import { isTaken, listedBy, type JobObject, type JobSighting } from '../../../vendors/leanplum/sighting.js';
import { clock, day, hour, manifest, minute, nameOf, shard, sight, start, type Written } from './case.js';

const instants = fc.integer({ min: start - day, max: start + 5 * day });

type Thing = JobObject | Written;
const isManifest = (thing: Thing): thing is Written => 'object' in thing;

/** What may lie there of one kind: some shards, and a manifest that lists some, with or without sizes, or is broken. */
const ofKind = (kind: Kind): fc.Arbitrary<readonly Thing[]> =>
  fc
    .record({
      there: fc.uniqueArray(fc.nat(3)),
      listed: fc.uniqueArray(fc.nat(3)),
      exactly: fc.boolean(),
      size: fc.constantFrom(undefined, 100, 101),
      manifest: fc.constantFrom('there', 'there', 'there', 'broken', 'missing'),
      modified: fc.tuple(instants, instants),
    })
    .map(({ there, listed, exactly, size, manifest: state, modified: [first, second] }) => {
      const files = (exactly ? there : listed).map((number) => ({
        name: nameOf(kind, number),
        ...(size === undefined ? {} : { size }),
      }));
      const shards = there.map((number) => shard(number, kind, { modified: first }));
      if (state === 'missing') return shards;
      return [...shards, manifest(state === 'broken' ? 'It is empty.' : files, kind, { modified: second })];
    });

const jobs: fc.Arbitrary<readonly Thing[]> = fc.oneof(
  ofKind('json'),
  fc.tuple(...csvKinds.map(ofKind)).map((lists) => lists.flat()),
);

const standings: fc.Arbitrary<Standing> = fc.record({
  finality: fc.constantFrom(...finalities),
  published: fc.boolean(),
  byRule: fc.boolean(),
});

const clocks: fc.Arbitrary<JobClock> = fc.record({
  ...{ now: instants, deadline: instants, waitingSince: instants },
  pollEvery: fc.integer({ min: 0, max: 2 * day }),
  discardAfter: fc.integer({ min: 1, max: 3 * day }),
  uploadGrace: fc.integer({ min: 1, max: 3 * day }),
});

const askings: fc.Arbitrary<Asked> = fc.record({ accepted: fc.boolean(), force: fc.boolean() });

interface Input {
  readonly things: readonly Thing[];
  readonly sighting: JobSighting;
  readonly ledger: Standing;
  readonly clock: JobClock;
  readonly asked: Asked;
}

function always(check: (input: Input, decision: Decision) => void): void {
  fc.assert(
    fc.property(jobs, standings, clocks, askings, (things, ledger, now, asked) => {
      const sighting = sight(...things);
      check({ things, sighting, ledger, clock: now, asked }, decide(sighting, ledger, now, asked));
    }),
    { numRuns: 1_500 },
  );
}

/** The shards that a load takes. */
function taken(things: readonly Thing[], which: 'listed' | 'all'): readonly JobObject[] {
  const listed = listedBy(things.filter(isManifest).map(({ read }) => read));
  return things.flatMap((thing) => (!isManifest(thing) && isTaken(thing.key, listed, which) ? [thing] : []));
}

const namesIn = (things: readonly Thing[]): readonly string[] =>
  things
    .filter(isManifest)
    .flatMap(({ read }) => ('files' in read ? read.files.map(({ name }) => name) : []));

describe('whatever a Leanplum job is told', () => {
  it('nothing is loaded that no manifest lists, unless somebody accepted the job without that manifest', () => {
    always(({ things, asked }, decision) => {
      if (decision.step !== 'load') return;
      const names = namesIn(things);
      for (const { key } of taken(things, decision.take ?? 'listed')) {
        const file = parseKey(key)!;
        if (names.includes(file.name)) continue;
        assert.ok(asked.accepted);
        const usable = things.some(
          (thing) =>
            isManifest(thing) && 'files' in thing.read && parseKey(thing.read.key)?.kind === file.kind,
        );
        assert.ok(!usable, `${key} is left out by its manifest`);
      }
    });
  });

  it('nothing is loaded while a listed shard is missing or not whole, or a manifest, unless that was accepted', () => {
    always(({ things, sighting, asked }, decision) => {
      if (decision.step !== 'load' || asked.accepted) return;
      const loaded = taken(things, decision.take ?? 'listed');
      assert.equal(loaded.length, new Set(namesIn(things)).size);
      assert.equal(sighting.manifestsMissing.length, 0);
      assert.ok(things.filter(isManifest).every(({ read }) => 'files' in read));
      assert.equal(decision.take, 'listed');
      assert.ok(decision.marker);
    });
  });

  it('what is complete is loaded, unless it is final or a person ended it', () => {
    always(({ sighting, ledger, asked }, decision) => {
      const { manifestsMissing, shardsMissing, fault, since } = sighting;
      if (since === undefined || manifestsMissing.length > 0 || shardsMissing > 0 || fault) return;
      const { finality } = ledger;
      const person = finality === 'skipped' || (finality === 'discarded' && !ledger.byRule);
      const rests = !asked.force && (finality === 'final' || (person && !asked.accepted));
      assert.equal(decision.step, rests ? 'rest' : 'load');
    });
  });

  it('every wait moves on, and never past what ends it', () => {
    always(({ sighting, clock: { now, deadline, discardAfter, uploadGrace } }, decision) => {
      if (decision.step !== 'wait') return;
      assert.ok(decision.until > now);
      const { since, completeSince, manifestsMissing } = sighting;
      if (since === undefined) assert.ok(decision.until <= deadline);
      else if (manifestsMissing.length > 0) assert.ok(decision.until <= since + discardAfter);
      else assert.ok(decision.until <= completeSince! + uploadGrace);
    });
  });

  it('only a job without all its manifests is discarded, after discardAfter, of which readers see nothing', () => {
    always(({ sighting, ledger, clock: { now, discardAfter }, asked }, decision) => {
      if (decision.step !== 'giveUp' || decision.as !== 'discarded') return;
      assert.ok(sighting.manifestsMissing.length > 0 && now >= sighting.since! + discardAfter);
      assert.ok(!ledger.published && !asked.accepted);
    });
  });

  it('what is left alone is never passed over in silence', () => {
    always(({ sighting }, decision) => {
      if (decision.step !== 'load') return;
      const { shardsUnlisted, firstUnlisted } = sighting;
      if (shardsUnlisted > 0) assert.ok(decision.notice?.includes(firstUnlisted[0]!));
      if (decision.notice !== undefined) assert.ok(decision.reason.includes(decision.notice));
    });
  });

  it('an ending by a person is undone by people alone', () => {
    always(({ ledger, asked }, decision) => {
      const ended = ledger.finality === 'skipped' || (ledger.finality === 'discarded' && !ledger.byRule);
      if (ended && !asked.force && !asked.accepted) assert.equal(decision.step, 'rest');
    });
  });

  it('reasons are sentences, and summaries short', () => {
    always((_, decision) => {
      assert.match(decision.reason, /^[A-Z0-9e].*\.$/);
      assert.ok(decision.reason.length < 3_000);
      if (decision.step === 'wait') assert.ok(decision.summary.length <= 90, decision.summary);
    });
  });

  it('is a decision like those of other vendors', () => {
    always((_, decision) => {
      const general: Decision = decision;
      assert.equal(general, decision);
    });
  });

  it('the order in which files arrive does not matter: the load takes the same shards', () => {
    const arrivals = jobs.chain((things) =>
      fc.tuple(fc.constant(things), fc.shuffledSubarray([...things], { minLength: things.length })),
    );
    const fresh: Standing = { finality: 'waiting', published: false };
    const loaded = (order: readonly Thing[]): readonly string[] | undefined => {
      let before: readonly string[] | undefined;
      for (let seen = 1; seen <= order.length; seen += 1) {
        const decision = decide(sight(...order.slice(0, seen)), fresh, clock(start), {
          accepted: false,
          force: false,
        });
        if (decision.step === 'load')
          before = taken(order.slice(0, seen), decision.take ?? 'listed')
            .map(({ key }) => key)
            .sort();
      }
      return before;
    };
    fc.assert(
      fc.property(arrivals, ([one, another]) => assert.deepEqual(loaded(one), loaded(another))),
      { numRuns: 500 },
    );
  });

  it('a manifest that comes after the job was discarded is loaded, whenever that is', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(5)), fc.integer({ min: day, max: 60 * day }), (numbers, age) => {
        const late = manifest(numbers, 'json', { modified: start + age });
        const sighting = sight(...numbers.map((number) => shard(number)), late);
        const ledger: Standing = { finality: 'discarded', published: false, byRule: true };
        const decision = decide(sighting, ledger, clock(start + age + minute), {
          accepted: false,
          force: false,
        });
        assert.equal(decision.step, 'load');
      }),
    );
  });

  it('a manifest that never comes is looked for fewer than 40 times before the job is discarded', () => {
    let now = start;
    let looks = 0;
    for (;;) {
      looks += 1;
      const fresh: Standing = { finality: 'waiting', published: false };
      const decision = decide(sight(shard(0)), fresh, clock(now), { accepted: false, force: false });
      if (decision.step !== 'wait') break;
      now = decision.until;
    }
    assert.equal(now, start + 24 * hour);
    assert.ok(looks < 40, `${looks} looks`);
  });
});
