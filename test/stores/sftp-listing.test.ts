/** A listing that an SFTP server ends too early, and a folder that it does not find just now, are not believed. */

import assert from 'node:assert/strict';

import { Failure } from '../../model/failure.js';
import { sftpStatus } from '../../stores/sftp-failures.js';
import type { Fault, StepMatcher } from '../support/faulty-sftp.js';
import { randomNumbers } from '../support/random.js';
import { listAll } from './s3-place.js';
import { day, openFaultyPlace, type FaultyPlace } from './sftp-place.js';

const files = 230;
const end: Fault = { kind: 'refuse', status: sftpStatus.endOfFile };
const missing: Fault = { kind: 'refuse', status: sftpStatus.noSuchFile };

describe('a listing of an SFTP server', function () {
  this.timeout(60_000);
  let place: FaultyPlace;
  before(async () => {
    place = await openFaultyPlace();
    for (let file = 0; file < files; file += 1) await place.put(`${day}part-${file}`);
  });
  after(() => place.close());
  afterEach(() => place.server.heal());

  const at = (
    kind: 'opendir' | 'readdir',
    which: (nth: number) => boolean,
    folder = 'session_stream/2026/11/20',
  ): StepMatcher => {
    let nth = 0;
    return (step) => step.kind === kind && step.path.endsWith(folder) && which(++nth);
  };
  const listed = async (): Promise<number> => (await listAll(place.store, day)).length;
  const unavailable = (says: RegExp) => (error: unknown) => {
    assert.ok(error instanceof Failure && error.type === 'StoreUnavailable', String(error));
    assert.match(error.message, says);
    return true;
  };

  for (const nth of [1, 2, 3, 4, 5, 6, 7]) {
    it(`is read on where it ended too early once, at answer ${nth}`, async () => {
      place.server.fail(
        at('readdir', (now) => now === nth),
        end,
      );
      assert.equal(await listed(), files);
    });
  }

  for (const nth of [1, 2]) {
    it(`is read again where the folder was not found once, at reading ${nth}`, async () => {
      place.server.fail(
        at('opendir', (now) => now === nth),
        missing,
      );
      assert.equal(await listed(), files);
    });
  }

  it('fails for now where the folder is never found, and the one above has it', async () => {
    place.server.fail(
      at('opendir', () => true),
      missing,
      Infinity,
    );
    await assert.rejects(
      listed(),
      unavailable(
        /does not find the folder .*session_stream\/2026\/11\/20, and lists it in the one above\. It is retried\./,
      ),
    );
  });

  it('fails for now where no folder is found at all, up to that in which everything begins', async () => {
    place.server.fail(
      at('opendir', () => true, ''),
      missing,
      Infinity,
    );
    await assert.rejects(listed(), unavailable(/does not find .*where everything begins\. It is retried\./));
  });

  it('is empty where the folder above has no such folder, and where there is none of those above', async () => {
    assert.deepEqual(await listAll(place.store, '2026/11/21/'), []);
    assert.deepEqual(await listAll(place.store, '2027/01/01/'), []);
    assert.deepEqual(await listAll(place.open({ root: 'nowhere/at/all/' }), ''), []);
  });

  it('fails for now where a folder shows something else each time', async () => {
    let readings = 0;
    const everyOther: StepMatcher = (step) => {
      if (step.kind === 'opendir') readings += 1;
      return step.kind === 'readdir' && readings % 2 === 0;
    };
    place.server.fail(everyOther, end, Infinity);
    await assert.rejects(listed(), unavailable(/showed other files at each of 6 readings/));
  });

  it('is whole, whichever answer of it is false', async () => {
    const seed = Date.now() % 1_000_000;
    const random = randomNumbers(seed);
    for (let round = 0; round < 30; round += 1) {
      const nth = 1 + Math.floor(random() * 12);
      let asked = 0;
      const one: StepMatcher = (step) =>
        (step.kind === 'readdir' || step.kind === 'opendir') && (asked += 1) === nth;
      place.server.fail(one, random() < 0.5 ? end : missing);
      assert.equal(await listed(), files, `seed ${seed}, round ${round}: answer ${nth}`);
      place.server.heal();
    }
  });
});
