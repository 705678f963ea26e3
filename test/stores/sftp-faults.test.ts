import assert from 'node:assert/strict';
import { randomBytes as garbage } from 'node:crypto';
import type { Socket } from 'node:net';

import type { Store } from '../../stores/store.js';
import { cut, stall, type Step, type StepMatcher } from '../support/faulty-sftp.js';
import { failsAs } from './failing.js';
import { fetched, listAll, randomBytes } from './s3-place.js';
import { day, openFaultyPlace, password, written, type FaultyPlace } from './sftp-place.js';

const secrets = { accessKeyId: '', secretAccessKey: password };
const fails = (type: Parameters<typeof failsAs>[0], ...parts: string[]): ((error: unknown) => true) =>
  failsAs(type, secrets, () => parts);

const body = randomBytes(5_000_000);
const key = `${day}part-0`;

const is =
  (kind: Step['kind']): StepMatcher =>
  (step) =>
    step.kind === kind;
const login =
  (method: string): StepMatcher =>
  (step) =>
    step.kind === 'login' && step.method === method;
const read =
  (from: number, to = Infinity): StepMatcher =>
  (step) =>
    step.kind === 'read' && (step.offset ?? 0) >= from && (step.offset ?? 0) <= to;
/** The second look at an open file, which comes after its last byte. */
const lookAfter = (): StepMatcher => {
  let looks = 0;
  return (step) => step.kind === 'fstat' && (looks += 1) === 2;
};
const connects = is('connect');

describe('a store on an SFTP server that fails', function () {
  this.timeout(60_000);
  let place: FaultyPlace;
  /** With little patience. */
  let store: Store;

  beforeEach(async () => {
    place = await openFaultyPlace();
    store = place.open({ idleTimeout: 300, loginTimeout: 300 });
    await place.put(key, body);
  });
  afterEach(() => place?.close());

  const listed = { key, version: `${body.length}-${written}`, size: body.length, modified: written * 1_000 };

  const stages: readonly (readonly [stage: string, matches: () => StepMatcher])[] = [
    ['before the banner', () => connects],
    ['in the exchange of keys, at its begin', () => (step) => step.kind === 'keys' && step.time === 1],
    ['in the exchange of keys, in its middle', () => (step) => step.kind === 'keys' && step.time === 2],
    ['in the exchange of keys, at its end', () => (step) => step.kind === 'keys' && step.time === 3],
    ['when it asks how to log in', () => login('none')],
    ['when it opens a session', () => is('session')],
    ['when it opens the file', () => is('open')],
    ['when it looks at the file', () => is('fstat')],
    ['at the begin of the file', () => read(0, 0)],
    ['in the middle of the file', () => read(2_500_000)],
    ['at the end of the file', () => read(4_970_000)],
    ['when it looks at the file again', lookAfter],
    ['when it closes the file', () => is('close')],
  ];

  for (const [stage, matches] of stages) {
    it(`gets a file whose connection was cut ${stage}`, async () => {
      place.server.fail(matches(), cut);
      assert.ok(body.equals(await fetched(store, listed)));
    });
  }

  const stalled = stages.filter(([stage]) => !/keys|session|closes/.test(stage));
  for (const [stage, matches] of stalled) {
    it(`gets a file whose server fell silent ${stage}`, async () => {
      place.server.fail(matches(), stall);
      assert.ok(body.equals(await fetched(store, listed)));
      assert.equal(place.server.count(connects), 2);
    });
  }

  for (const kind of ['connect', 'session', 'opendir', 'readdir'] as const) {
    it(`lists though the connection was cut at ${kind}`, async () => {
      place.server.fail(is(kind), cut);
      assert.deepEqual(await listAll(store, day), [listed]);
      assert.equal(place.server.count(connects), 2);
    });

    it(`gives up listing for now when every connection is cut at ${kind}`, async () => {
      place.server.fail(is(kind), cut, 100);
      const doing =
        kind === 'connect' || kind === 'session' ? 'Connecting to sftp://' : `Listing ${store.name}${day}`;
      await assert.rejects(
        listAll(store, day),
        fails('StoreUnavailable', doing, ' failed: ', 'It is retried.'),
      );
      assert.equal(place.server.count(connects), 3);
    });
  }

  it('lists though the server fell silent in the middle of a folder', async () => {
    for (let i = 0; i < 250; i += 1) await place.put(`${day}more-${i}`, 'x');
    let answers = 0;
    place.server.fail((step) => step.kind === 'readdir' && (answers += 1) === 2, stall);
    assert.equal((await listAll(store, day)).length, 251);
  });

  it('goes on where a connection was cut, after what has reached the disk', async () => {
    let bytes = 0;
    place.server.fail(read(4_000_000), cut);
    assert.ok(body.equals(await fetched(store, listed, { onBytes: (count) => (bytes += count) })));
    const last = place.server.steps.findLastIndex(is('open'));
    const [again] = place.server.steps.slice(last).filter(is('read'));
    const offset = again?.kind === 'read' ? (again.offset ?? 0) : 0;
    assert.ok(offset > 1_000_000 && offset < 4_100_000, `went on at ${offset}`);
    assert.equal(bytes, body.length);
  });

  it('goes on as long as every connection brings some of the file', async () => {
    const large = randomBytes(12_000_000);
    await place.put(key, large);
    for (let from = 2_000_000; from < large.length; from += 1_500_000) place.server.fail(read(from), cut);
    const file = (await listAll(store, day))[0]!;
    assert.ok(large.equals(await fetched(store, file)));
    assert.ok(place.server.count(connects) > 5);
  });

  it('gives up for now when connections bring nothing any more', async () => {
    place.server.fail(read(3_000_000), cut, 1_000);
    await assert.rejects(
      fetched(store, listed),
      fails('StoreUnavailable', `Reading ${store.name}${key} failed: `, 'It is retried.'),
    );
    assert.ok(place.server.count(connects) <= 6, `${place.server.count(connects)} connections`);
  });

  it('says how long nothing came', async () => {
    place.server.fail(is('open'), stall, 1_000);
    await assert.rejects(
      fetched(store, listed),
      fails(
        'StoreUnavailable',
        `Reading ${store.name}${key} failed: nothing came for 0.3 seconds. It is retried.`,
      ),
    );
    place.server.heal();
    place.server.fail(connects, stall, 1_000);
    place.server.cutAll();
    await assert.rejects(
      listAll(store, day),
      fails(
        'StoreUnavailable',
        'Connecting to sftp://',
        'failed: the server was not ready after 0.3 seconds.',
      ),
    );
  });

  it('says that nobody answers, and what a name does not lead to', async () => {
    await place.server.stop();
    const { port } = place.server;
    await assert.rejects(
      listAll(store, day),
      fails(
        'StoreUnavailable',
        `Connecting to sftp://landfall@127.0.0.1:${port} failed: `,
        'ECONNREFUSED',
        'retried.',
      ),
    );
    await assert.rejects(
      listAll(place.open({ host: 'no-such-host.invalid' }), day),
      fails('StoreUnavailable', 'Connecting to sftp://landfall@no-such-host.invalid', 'no-such-host.invalid'),
    );
  });

  it('lives with a failure of the server that passes', async () => {
    for (const kind of ['open', 'fstat', 'read'] as const) place.server.fail(is(kind), { kind: 'refuse' });
    assert.ok(body.equals(await fetched(store, listed)));
    for (const kind of ['opendir', 'readdir'] as const) place.server.fail(is(kind), { kind: 'refuse' });
    assert.equal((await listAll(store, day)).length, 1);
    place.server.fail(is('remove'), { kind: 'refuse' });
    await store.remove(listed);
    // None of which is a fault of the connection.
    assert.equal(place.server.count(connects), 1);
  });

  it('does not take a failure for a file or folder that is not there', async () => {
    place.server.fail((step) => ['open', 'opendir', 'remove'].includes(step.kind), { kind: 'refuse' }, 1_000);
    await assert.rejects(
      fetched(store, listed),
      fails('StoreUnavailable', `Reading ${store.name}${key} failed: `),
    );
    await assert.rejects(
      listAll(store, day),
      fails('StoreUnavailable', `Listing ${store.name}${day} failed: `),
    );
    await assert.rejects(
      store.remove(listed),
      fails('StoreUnavailable', `Deleting ${store.name}${key} failed: `),
    );
  });

  it('does not take the end of a connection, whatever its number, for an answer', async () => {
    // The server cannot read this and disconnects with a reason, whose numbers are also those of answers.
    const confuse = (socket: Socket): void => void socket.emit('data', garbage(64));
    for (const kind of ['opendir', 'readdir', 'open', 'read', 'remove'] as const) {
      place.server.fail(is(kind), { kind: 'before', act: confuse });
    }
    assert.deepEqual(await listAll(store, day), [listed]);
    assert.ok(body.equals(await fetched(store, listed)));
    await store.remove(listed);
    assert.deepEqual(await listAll(store, day), []);
  });

  for (const [kind, right] of [
    ['opendir', 'list and read this folder'],
    ['open', 'read this file'],
    ['remove', 'delete in this folder'],
  ] as const) {
    it(`says who may mend it when ${kind} is denied, and does not repeat it`, async () => {
      place.server.fail(is(kind), { kind: 'refuse', status: 3 }, 100);
      const work = {
        opendir: () => listAll(store, day),
        open: () => fetched(store, listed),
        remove: () => store.remove(listed),
      };
      const path = `${store.name}${kind === 'opendir' ? day : key}`;
      await assert.rejects(
        work[kind](),
        fails('AccessDenied', `${path} was refused: `, `may ${right}, then reprocess`),
      );
      assert.equal(place.server.count(is(kind)), 1);
    });
  }

  it('takes less at a time than it asked for', async () => {
    await place.close();
    place = await openFaultyPlace({ bytesAtOnce: 10_000 });
    await place.put(key, body);
    assert.ok(body.equals(await fetched(place.store, listed)));
  });

  it('stops fetching when it is aborted, and says why', async () => {
    const abort = new AbortController();
    const stopped = fetched(store, listed, {
      signal: abort.signal,
      onBytes: () => abort.abort(new Error('the worker stops')),
    });
    await assert.rejects(stopped, { message: 'the worker stops' });
  });

  for (const kind of ['connect', 'open', 'read', 'opendir'] as const) {
    it(`does not wait for a server that keeps silent at ${kind} once it is aborted`, async () => {
      const patient = place.open();
      const abort = new AbortController();
      place.server.fail(is(kind), stall);
      const { signal } = abort;
      const stopped = assert.rejects(
        kind === 'opendir' ? listAll(patient, day, signal) : fetched(patient, listed, { signal }),
        { message: 'the worker stops' },
      );
      while (place.server.count(is(kind)) === 0) await new Promise((resolve) => setImmediate(resolve));
      abort.abort(new Error('the worker stops'));
      await stopped;
    });
  }
});
