import assert from 'node:assert/strict';

import fc from 'fast-check';

import { csvKinds, type Kind } from '../../../vendors/leanplum/layout.js';
import {
  hasAllManifests,
  isTaken,
  listedBy,
  sightJob,
  type JobObject,
} from '../../../vendors/leanplum/sighting.js';
import { folder, hour, job, manifest, nameOf, shard, sight, start, type Written } from './case.js';

const other = '00000000-d66e-48a2-8812-27ee12d58b58';

describe('what a look at a Leanplum job finds', () => {
  it('nothing', () => {
    assert.deepEqual(sight(), {
      awaited: `a file of job ${job}`,
      manifestsMissing: ['json'],
      ...{ manifestsThere: 0, shardsThere: 0, shardsListed: 0, shardsMissing: 0, firstMissing: [] },
      ...{ shardsUnlisted: 0, firstUnlisted: [], whole: false },
    });
  });

  it('shards without their manifest', () => {
    assert.deepEqual(sight(shard(0), shard(1, 'json', { modified: start + 5 })), {
      awaited: `${folder}export-7-${job}-output-manifest`,
      ...{ format: 'json', since: start, manifestsMissing: ['json'], manifestsThere: 0, shardsThere: 2 },
      ...{ shardsListed: 0, shardsMissing: 0, firstMissing: [], shardsUnlisted: 0, firstUnlisted: [] },
      whole: false,
    });
  });

  it('a complete job', () => {
    assert.deepEqual(sight(shard(0), manifest([0, 1]), shard(1)), {
      awaited: `${folder}export-7-${job}-output-manifest`,
      ...{ format: 'json', since: start, manifestsMissing: [], manifestsThere: 1, shardsThere: 2 },
      ...{ completeSince: start + hour, whole: true },
      ...{ shardsListed: 2, shardsMissing: 0, firstMissing: [], shardsUnlisted: 0, firstUnlisted: [] },
      marker: { key: `${folder}export-7-${job}-output-manifest`, version: 'm-json' },
    });
  });

  it('a shard that no manifest lists, and one that is listed and not there', () => {
    const found = sight(shard(0), shard(2), manifest([0, 1]));
    assert.deepEqual([found.shardsUnlisted, found.firstUnlisted], [1, [nameOf('json', 2)]]);
    assert.deepEqual([found.shardsMissing, found.firstMissing], [1, [nameOf('json', 1)]]);
  });

  it('a shard with .gz where its manifest lists it without, and the opposite, whatever the listed size', () => {
    const zipped = { name: `${nameOf('json', 1)}.gz`, size: 999 };
    const stored = { key: `${folder}${nameOf('json', 0)}.gz` };
    const written = manifest([{ name: nameOf('json', 0), size: 999 }, zipped]);
    const found = sight(shard(0, 'json', stored), shard(1), written);
    assert.deepEqual([found.whole, found.shardsMissing, found.shardsUnlisted], [true, 0, 0]);
    const listed = listedBy([written.read]);
    assert.ok(isTaken(stored.key, listed, 'listed') && isTaken(shard(1).key, listed, 'listed'));
  });

  for (const ending of ['.json', '.json.gz', '.gz']) {
    it(`a shard that lies there with ${ending}, and is listed without or with another ending`, () => {
      const stored = [0, 1].map((number) => `${folder}${nameOf('json', number)}${ending}`);
      const written = manifest([nameOf('json', 0), `${nameOf('json', 1)}.gz`].map((name) => ({ name })));
      const found = sight(...stored.map((key, number) => shard(number, 'json', { key })), written);
      assert.deepEqual([found.whole, found.shardsMissing, found.shardsUnlisted], [true, 0, 0]);
      const listed = listedBy([written.read]);
      assert.ok(stored.every((key) => isTaken(key, listed, 'listed')));
    });
  }

  it('nothing to rely on in a shard that is there with .gz and without', () => {
    const both = sight(
      shard(0),
      shard(0, 'json', { key: `${folder}${nameOf('json', 0)}.gz` }),
      manifest([0]),
    );
    assert.equal(both.whole, false);
    assert.match(
      both.fault ?? '',
      /-output-0 the store has two objects that differ by their endings alone, such as \.gz/,
    );
  });

  it('at most 5 names of either, counted as people count', () => {
    const listed = Array.from({ length: 12 }, (_, number) => number);
    const missing = sight(manifest(listed));
    assert.equal(missing.shardsMissing, 12);
    assert.deepEqual(
      missing.firstMissing,
      [0, 1, 2, 3, 4].map((number) => nameOf('json', number)),
    );
    const unlisted = sight(...[11, 10, 9, 2].map((number) => shard(number)), manifest([]));
    assert.equal(unlisted.shardsUnlisted, 4);
    assert.deepEqual(
      unlisted.firstUnlisted,
      [2, 9, 10, 11].map((number) => nameOf('json', number)),
    );
  });

  it('a shard of another size than its manifest says', () => {
    const says = [
      { name: nameOf('json', 0), size: 300 },
      { name: nameOf('json', 1), size: 100 },
    ];
    const found = sight(shard(0), shard(1), manifest(says));
    assert.deepEqual(
      [found.shardsMissing, found.firstMissing],
      [1, [`${nameOf('json', 0)} (100 of 300 bytes)`]],
    );
  });

  it('a manifest that lists itself: no shard is missing', () => {
    const found = sight(shard(0), manifest([0, { name: nameOf('json', 'manifest') }]));
    assert.deepEqual([found.shardsListed, found.shardsMissing], [1, 0]);
  });

  it("a shard of another job, or something else, in the manifest's list: it is missing", () => {
    const foreign = [{ name: nameOf('json', 0, other) }, { name: 'notes.txt' }];
    const found = sight(shard(0, 'json', { key: `${folder}${nameOf('json', 0, other)}` }), manifest(foreign));
    assert.deepEqual([found.shardsThere, found.shardsMissing], [0, 2]);
  });

  it('objects of other jobs and other things beside it: they are passed over', () => {
    const objects = [shard(0), manifest([0]).object];
    const beside = [
      shard(1, 'json', { key: `${folder}${nameOf('json', 1, other)}`, modified: 0 }),
      shard(2, 'json', { key: `${folder}readme.txt`, modified: 0 }),
    ];
    const read = [manifest([0]).read];
    assert.deepEqual(sightJob(job, [...beside, ...objects], read), sightJob(job, objects, read));
  });

  it('a manifest that was rewritten after it was read: it is not there yet', () => {
    const { object, read } = manifest([0]);
    const found = sightJob(job, [shard(0), { ...object, version: 'newer' }], [read]);
    assert.deepEqual([found.manifestsThere, found.marker, found.completeSince], [0, undefined, undefined]);
  });

  it('a manifest that cannot be used', () => {
    const found = sight(shard(0), manifest('It is empty.'));
    assert.equal(found.fault, `${nameOf('json', 'manifest')} cannot be used. It is empty.`);
    assert.deepEqual([found.manifestsMissing, found.shardsUnlisted], [[], 0]);
  });

  describe('CSV', () => {
    const complete = (): (JobObject | Written)[] =>
      csvKinds.flatMap((kind) => [shard(0, kind), manifest([0], kind)]);

    it('is complete with all six manifests, whose versions together are the marker', () => {
      const found = sight(...complete());
      assert.deepEqual([found.format, found.manifestsThere, found.shardsListed], ['csv', 6, 6]);
      assert.deepEqual(found.marker, {
        key: `${folder}export-7-${job}-outputsessions-manifest`,
        version: csvKinds.map((kind) => `m-${kind}`).join(' '),
      });
    });

    for (const kind of csvKinds) {
      it(`awaits the manifest of ${kind}`, () => {
        const without = complete().filter(
          (thing) => !('object' in thing) || !thing.object.key.includes(kind + '-m'),
        );
        const found = sight(...without);
        assert.deepEqual(
          [found.manifestsMissing, found.manifestsThere, found.marker],
          [[kind], 5, undefined],
        );
        assert.equal(found.awaited, `${folder}export-7-${job}-output${kind}-manifest`);
        // What nothing lists yet is not left out.
        assert.equal(found.shardsUnlisted, 0);
      });
    }

    it('names several that are awaited in one', () => {
      const found = sight(...csvKinds.slice(2).map((kind) => manifest([], kind)));
      assert.equal(found.awaited, `${folder}export-7-${job}-output{sessions,experiments}-manifest`);
    });

    it('may list shards of any kind in any manifest', () => {
      const [first, ...others] = csvKinds;
      const all = csvKinds.map((kind) => ({ name: nameOf(kind, 0) }));
      const things = [manifest(all, first), ...others.map((kind) => manifest([], kind))];
      const found = sight(...csvKinds.map((kind) => shard(0, kind)), ...things);
      assert.deepEqual([found.shardsListed, found.shardsMissing, found.shardsUnlisted], [6, 0, 0]);
    });

    it('beside JSON is a fault', () => {
      const found = sight(...complete(), shard(0), manifest([0]));
      assert.equal(found.fault, 'The job has files of both formats, JSON and CSV.');
      assert.equal(found.manifestsThere, 7);
      const alone = sight(shard(0), manifest([0]), shard(0, 'events'));
      assert.equal(alone.fault, found.fault);
      // Or it would be discarded after a while.
      assert.deepEqual(alone.manifestsMissing, []);
    });
  });

  it('the order of what it is told does not matter', () => {
    const kinds: fc.Arbitrary<Kind> = fc.constantFrom('json', 'sessions', 'events');
    const thing = fc.oneof(
      fc
        .record({ number: fc.nat(4), kind: kinds, modified: fc.nat(9) })
        .map(({ number, kind, modified }) => shard(number, kind, { modified })),
      fc
        .record({ says: fc.oneof(fc.array(fc.nat(6)), fc.constant('It is empty.')), kind: kinds })
        .map(({ says, kind }) => manifest(says, kind)),
    );
    const keyOf = (one: JobObject | Written): string => ('object' in one ? one.object.key : one.key);
    const things = fc.uniqueArray(thing, { selector: keyOf });
    const shuffled = things.chain((list) =>
      fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
    );
    fc.assert(
      fc.property(shuffled, ([one, another]) => assert.deepEqual(sight(...one), sight(...another))),
      { numRuns: 1_000 },
    );
  });

  it('stays small with many shards', () => {
    const numbers = Array.from({ length: 200_000 }, (_, number) => number);
    const { object, read } = manifest(numbers);
    const found = sightJob(job, [object, ...numbers.map((number) => shard(number * 2))], [read]);
    assert.deepEqual([found.shardsMissing, found.shardsUnlisted], [100_000, 100_000]);
    assert.ok(JSON.stringify(found).length < 3_000);
  });
});

describe('what a load of a Leanplum job takes', () => {
  const key = (kind: Kind, which: number | 'manifest'): string => `${folder}${nameOf(kind, which)}`;
  const listed = listedBy([
    manifest([0], 'sessions').read,
    manifest('It is empty.', 'states').read,
    manifest([], 'events').read,
  ]);
  const cases: readonly (readonly [string, string, 'listed' | 'all', boolean])[] = [
    ['what a manifest lists', key('sessions', 0), 'listed', true],
    ['and no other shard of that kind', key('sessions', 1), 'listed', false],
    ['also when everything was accepted', key('sessions', 1), 'all', false],
    ['no shard of a kind without manifest', key('experiments', 0), 'listed', false],
    ['unless that was accepted', key('experiments', 0), 'all', true],
    ['no shard of a kind whose manifest cannot be used', key('states', 0), 'listed', false],
    ['unless that was accepted', key('states', 0), 'all', true],
    ['no shard where the manifest lists none', key('events', 0), 'all', false],
    ['no manifest', key('experiments', 'manifest'), 'all', false],
    ['nothing else', `${folder}readme.txt`, 'all', false],
  ];
  for (const [title, object, which, taken] of cases) {
    it(title, () => assert.equal(isTaken(object, listed, which), taken));
  }
});

describe('whether the files of a Leanplum job may be all', () => {
  const key = (kind: Kind, number: number | 'manifest'): string =>
    `${folder}export-7-${job}-output${kind === 'json' ? '' : kind}-${number}`;

  it('is told by the manifests that are there, whatever they say', () => {
    const manifests = csvKinds.map((kind) => key(kind, 'manifest'));
    for (const [keys, all] of [
      [[], false],
      [[key('json', 0)], false],
      [[key('json', 0), key('json', 'manifest')], true],
      [manifests, true],
      [manifests.slice(1), false],
      // Of both formats: it fails, rather than wait for ever.
      [[...manifests, key('json', 0), key('json', 'manifest')], true],
      [['20261120/notes.txt'], false],
    ] as const) {
      assert.equal(hasAllManifests(keys), all, keys.join(' '));
    }
  });
});
