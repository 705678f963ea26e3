import assert from 'node:assert/strict';

import fc from 'fast-check';

import { isTaken, lookAtDay } from '../../../vendors/monetate/sighting.js';
import { at, closesAt, date, file, minute, next, own, sight } from './case.js';

const files = [file('20T10:00'), file('20T10:00', { unique: 2 }), file('20T10:15')];

describe('what a look at a Monetate day finds', () => {
  it('lists its folder, the next one, and the root, which shows whether there is an export at all', () => {
    assert.deepEqual(lookAtDay(date, { closesAt }).prefixes, ['', own, next]);
  });

  it('nothing', () => {
    const found = sight([]);
    assert.deepEqual(
      { ...found, listing: '' },
      {
        ...{ awaited: own, files: 0, growing: 0, firstGrowing: [], ignored: 0, next, nextFiles: 0 },
        ...{ nextUnloaded: 0, listing: '', exportThere: true, goneFrom: Date.parse('2029-02-17T00:00:00Z') },
      },
    );
    assert.equal(sight([], { folders: [] }).exportThere, false);
    assert.equal(sight([file('21T10:00')], { folders: [] }).exportThere, true);
  });

  it('files that nothing is known of: they may still be written', () => {
    const found = sight(files);
    assert.deepEqual([found.files, found.growing, found.marker], [3, 3, undefined]);
    assert.deepEqual(found.firstGrowing[0], '20261120T100000.000Z_PT15M-1.json.gz');
    assert.equal(found.everything?.key, own);
  });

  it('files that stood still: no newer than the newest one of the look before', () => {
    const still = at('20T10:20');
    const found = sight(files, { still });
    assert.deepEqual([found.files, found.growing], [3, 1]);
    assert.deepEqual(found.marker, sight(files.slice(0, 2), { still }).marker);
    assert.notDeepEqual(found.marker, found.everything);
    const later = sight(files, { still: found.newest });
    assert.deepEqual([later.growing, later.marker], [0, later.everything]);
  });

  it('a file that grew since: it is not among them', () => {
    const still = at('20T10:35');
    const grown = [...files.slice(0, 2), file('20T10:15', { size: 200, modified: at('20T10:36') })];
    assert.equal(sight(files, { still }).growing, 0);
    assert.equal(sight(grown, { still }).growing, 1);
    assert.notEqual(sight(grown, { still }).listing, sight(files, { still }).listing);
  });

  it('a version is keys and versions, of its own folder alone', () => {
    const version = (...list: typeof files) => sight(list).everything?.version;
    assert.equal(version(...files), version(...files, file('21T10:00')));
    assert.notEqual(version(...files), version(...files.slice(1)));
    assert.notEqual(version(...files), version(...files.slice(0, 2), file('20T10:15', { size: 101 })));
    assert.match(version(...files) ?? '', /^[0-9a-f]{32}$/);
  });

  it("the next day's files up to the end of the window, which belong to another delivery", () => {
    const others = [file('21T00:00'), file('21T12:15'), file('21T12:30'), file('21T23:45')];
    const look = lookAtDay(date, { closesAt });
    look.see({ files: [...files, ...others, file('22T00:00')], folders: [] });
    assert.deepEqual(look.others(), others.slice(0, 2));
    const found = look.sighting(1);
    assert.deepEqual([found.files, found.nextFiles, found.nextUnloaded], [3, 2, 1]);
    // A window of another length counts others.
    assert.equal(sight(others, { closesAt: at('21T13:00') }).nextFiles, 3);
  });

  it('what is not of the export is counted, and neither loaded nor waited for', () => {
    const beside = [
      file('20T10:00', { key: `${own}readme.txt` }),
      file('20T10:30', { key: `${file('20T10:30').key}.filepart` }),
    ];
    const found = sight([...files, ...beside, file('21T10:00', { key: `${next}readme.txt` })]);
    assert.deepEqual([found.files, found.ignored, found.nextFiles], [3, 2, 0]);
    assert.deepEqual(found.everything, sight(files).everything);
    assert.equal(found.newest, sight(files).newest);
  });

  it('a load takes what the decision says: up to an instant, or everything', () => {
    const [, , last] = files;
    assert.ok(last && isTaken(last) && isTaken(last, at('20T10:35')) && !isTaken(last, at('20T10:34')));
    assert.ok(!isTaken({ ...last, key: `${own}readme.txt` }));
  });

  it('is what the load of it takes, whatever the files and the look before', () => {
    const some = fc.uniqueArray(
      fc
        .record({ quarter: fc.nat(95), unique: fc.nat(2), late: fc.nat(600) })
        .map(({ quarter, unique, late }) => {
          const from = at('20T00:00') + quarter * 15 * minute;
          return file(new Date(from).toISOString().slice(8, 16), { unique, modified: from + late * minute });
        }),
      { selector: ({ key }) => key },
    );
    fc.assert(
      fc.property(some, fc.integer({ min: at('20T00:00'), max: at('21T10:00') }), (list, still) => {
        const found = sight(list, { still });
        const taken = list.filter((one) => isTaken(one, still));
        assert.equal(found.files - found.growing, taken.length);
        assert.equal(found.marker?.version, sight(taken).everything?.version);
      }),
    );
  });

  it('stays small with many files', () => {
    const look = lookAtDay(date, { closesAt, upTo: at('20T12:00') });
    for (let page = 0; page < 200; page += 1) {
      const list = Array.from({ length: 100 }, (_, number) =>
        file('20T13:00', { unique: page * 100 + number }),
      );
      look.see({ files: list, folders: [] });
    }
    const found = look.sighting(0);
    assert.deepEqual([found.files, found.firstGrowing.length], [20_000, 5]);
    assert.ok(JSON.stringify(found).length < 1_000);
  });
});
