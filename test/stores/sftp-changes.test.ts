import assert from 'node:assert/strict';
import { appendFile, rename, truncate, utimes, writeFile } from 'node:fs/promises';

import type { Store } from '../../stores/store.js';
import { cut, type StepMatcher } from '../support/faulty-sftp.js';
import { failsAs } from './failing.js';
import { fetched, listAll, randomBytes } from './s3-place.js';
import { day, openFaultyPlace, password, written, type FaultyPlace } from './sftp-place.js';

const fails = (type: Parameters<typeof failsAs>[0], ...parts: string[]): ((error: unknown) => true) =>
  failsAs(type, { accessKeyId: '', secretAccessKey: password }, () => parts);

const body = randomBytes(5_000_000);
const key = `${day}part-0`;
const listed = { key, version: `${body.length}-${written}`, size: body.length, modified: written * 1_000 };

const is =
  (kind: 'open' | 'opendir'): StepMatcher =>
  (step) =>
    step.kind === kind;
const read =
  (from: number): StepMatcher =>
  (step) =>
    step.kind === 'read' && (step.offset ?? 0) >= from;

describe('a store on an SFTP server whose files change while they are read', function () {
  this.timeout(60_000);
  let place: FaultyPlace;
  let store: Store;

  beforeEach(async () => {
    place = await openFaultyPlace();
    ({ store } = place);
    await place.put(key, body);
  });
  afterEach(() => place?.close());

  it('refuses a file that grows while it is read', async () => {
    place.server.fail(read(2_500_000), { kind: 'before', act: () => appendFile(place.pathOf(key), 'more') });
    await assert.rejects(
      fetched(store, listed),
      fails(
        'FileChanged',
        `listed as version ${listed.version}: it is version ${body.length + 4}-`,
        'by now',
      ),
    );
  });

  it('refuses a file that grows a little between any two looks', async () => {
    const growing = { kind: 'before', act: () => appendFile(place.pathOf(key), '.') } as const;
    place.server.fail(is('opendir'), growing, 100);
    for (let look = 0; look < 3; look += 1) {
      const [file] = await listAll(store, day);
      place.server.fail(is('open'), growing);
      await assert.rejects(fetched(store, file!), fails('FileChanged', 'by now'));
    }
  });

  it('refuses a file that is cut short while it is read', async () => {
    place.server.fail(read(3_000_000), { kind: 'before', act: () => truncate(place.pathOf(key), 3_500_000) });
    await assert.rejects(fetched(store, listed), fails('FileChanged', 'it ends after 3'));
  });

  it('refuses a file that is written anew with as many bytes while it is read', async () => {
    const other = randomBytes(body.length, 'other');
    place.server.fail(read(2_500_000), {
      kind: 'before',
      act: async () => {
        // In place, as it is done by who does not want it to be seen.
        await writeFile(place.pathOf(key), other, { flag: 'r+' });
        await utimes(place.pathOf(key), written + 1, written + 1);
      },
    });
    await assert.rejects(
      fetched(store, listed),
      fails('FileChanged', `it is version ${body.length}-${written + 1}`),
    );
  });

  it('reads the listed version to its end while another one takes its place', async () => {
    await place.put('.part-0', randomBytes(body.length, 'other'), written + 1);
    place.server.fail(read(2_500_000), {
      kind: 'before',
      act: () => rename(place.pathOf('.part-0'), place.pathOf(key)),
    });
    assert.ok(body.equals(await fetched(store, listed)));
  });

  it('refuses one that was written anew between a cut and its resumption', async () => {
    place.server.fail(read(2_500_000), cut);
    let opened = 0;
    place.server.fail((step) => step.kind === 'open' && (opened += 1) === 2, {
      kind: 'before',
      act: () => place.put(key, randomBytes(body.length, 'other'), written + 1),
    });
    await assert.rejects(fetched(store, listed), fails('FileChanged', 'by now'));
  });
});
