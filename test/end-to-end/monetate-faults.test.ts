import assert from 'node:assert/strict';

import type { Client } from '@temporalio/client';

import { addDays } from '../../model/day.js';
import { planFiles } from '../../sandbox/monetate/day.js';
import type { MonetateFile } from '../../sandbox/monetate/files.js';
import { signal, withWorker } from '../support/delivery.js';
import { cut, type StepMatcher } from '../support/faulty-sftp.js';
import {
  asked,
  assertRows,
  daysAgo,
  dropConsistent,
  ended,
  faultyPlace,
  putFiles,
  visitsSource,
  type FaultyPlace,
} from '../support/monetate-day.js';
import type { MonetateSource, SftpPlace } from '../support/monetate.js';

const date = daysAgo(60);
const next = addDays(date, 1);
const folderOf = (day: string): string => `${day.replaceAll('-', '/')}/`;
const files = planFiles([{ date, sessions: 40 }], { filesPerInterval: 1 });
const [first, second, third] = files as [MonetateFile, MonetateFile, MonetateFile];

/** Where the connection is cut, by what the client does there. */
const stages: readonly [string, (source: MonetateSource) => readonly StepMatcher[]][] = [
  ['as it connects', () => [(step) => step.kind === 'connect']],
  ['while keys are exchanged', () => [(step) => step.kind === 'keys' && step.time === 2]],
  ['before the user is known', () => [(step) => step.kind === 'login' && step.method === 'none']],
  ['when the session begins', () => [(step) => step.kind === 'session']],
  [
    'in the listing of either folder',
    (source) => [asked(source, 'readdir', folderOf(date)), asked(source, 'readdir', folderOf(next))],
  ],
  [
    'in the middle of a file, and before another',
    (source) => [asked(source, 'read', first.key), asked(source, 'open', third.key)],
  ],
];

describe("a Monetate day whose server's connections fail", function () {
  this.timeout(180_000);
  let place: FaultyPlace;
  let source: MonetateSource;

  beforeEach(async () => {
    place = await faultyPlace();
  });
  afterEach(async () => {
    place.server.heal();
    await dropConsistent(source).finally(place.close);
  });

  const open = async (server: SftpPlace = place, settings: Record<string, unknown> = {}): Promise<void> => {
    source = await visitsSource(settings, { server });
    await putFiles(source, files);
  };
  /** Both days, for neither is final alone. */
  const loadBoth = async (client: Client): Promise<void> => {
    const input = { deadline: Date.now() + 3_600_000 };
    const started = await Promise.all(
      [date, next].map((day) => source.start(client, source.input('sessions', day, input))),
    );
    for (const one of started) assert.equal((await ended(one)).finality, 'final');
  };

  it('is loaded whole, and nothing twice, wherever they are cut', async () => {
    await open();
    const { server } = place;
    for (const [what, matchers] of stages) {
      const cuts = matchers(source).map((matches) => ({ what, matches }));
      for (const { matches } of cuts) server.fail(matches, cut);
    }
    await withWorker(source, loadBoth);
    await assertRows(source, files);
    for (const [what, matchers] of stages) {
      for (const matches of matchers(source)) assert.ok(server.count(matches) > 1, `${what}, and then again`);
    }
    assert.equal(
      server.count(asked(source, 'open', second.key)),
      1,
      'a file that was whole is not read again',
    );
  });

  it('goes on where the server was away', async () => {
    await open();
    const { server } = place;
    await withWorker(source, async (client) => {
      server.fail(asked(source, 'open', second.key), {
        kind: 'before',
        act: () => {
          server.fail(({ kind }) => kind === 'connect', cut, 4);
          server.cutAll();
        },
      });
      await loadBoth(client);
    });
    assert.ok(server.count(({ kind }) => kind === 'connect') > 4);
    await assertRows(source, files);
  });

  it('fails where the server shows another key, says which, and tells it nothing', async () => {
    const other = await faultyPlace();
    await open({ ...place, hostKey: other.hostKey }, { refusalGrace: '2 seconds' });
    await withWorker(source, async (client) => {
      const started = await source.start(client, source.input('sessions', date));
      await assert.rejects(ended(started), ({ cause }: { cause?: { type?: string; message?: string } }) => {
        assert.equal(cause?.type, 'ConfigInvalid');
        const fingerprints = String(cause.message).match(/SHA256:[\w+/]{43}/g);
        assert.equal(new Set(fingerprints).size, 2, cause.message);
        return true;
      });
    });
    await other.close();
    assert.equal(
      place.server.count(({ kind }) => kind === 'login'),
      0,
    );
    const [row] = await source.rows('select finality, reason from landfall.delivery');
    assert.equal(row?.['finality'], 'failed');
    assert.match(String(row['reason']), /Neither user nor password was sent/);
  });

  it('fails where the password is wrong for longer than refusalGrace, after two tries at most, and loads once that is mended', async () => {
    await open(place, { refusalGrace: '3 seconds' });
    const { server } = place;
    const passwords: StepMatcher = (step) => step.kind === 'login' && step.method === 'password';
    server.fail(passwords, { kind: 'refuse' }, Infinity);
    await withWorker(source, async (client) => {
      const days = await Promise.all(
        [date, next].map((day) => source.start(client, source.input('sessions', day))),
      );
      for (const day of days) {
        await assert.rejects(ended(day), ({ cause }: { cause?: { type?: string; message?: string } }) => {
          assert.equal(cause?.type, 'AccessDenied');
          assert.doesNotMatch(String(cause.message), new RegExp(place.password ?? ''));
          return true;
        });
      }
    });
    assert.ok(server.count(passwords) <= 2, `${server.count(passwords)} tries`);
    server.heal();
    // A worker that is told the right one has forgotten what the other was refused.
    await withWorker(source, async (client) => {
      const again = [date, next].map((day) =>
        signal(source, client, 'reprocess', 'the password is right now', source.input('sessions', day)),
      );
      for (const result of await Promise.all(again)) assert.equal(result.finality, 'final', result.reason);
    });
    await assertRows(source, files);
  });
});
