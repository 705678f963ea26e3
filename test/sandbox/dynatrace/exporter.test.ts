import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

import { checkDocument } from '../../../sandbox/dynatrace/bodies.js';
import {
  startDynatrace,
  taken,
  type Dynatrace,
  type DynatraceOptions,
} from '../../../sandbox/dynatrace/exporter.js';
import { sessionKey, sessionLine, type UserSession } from '../../../sandbox/dynatrace/session.js';
import { makeSessions } from '../../../sandbox/dynatrace/sessions.js';
import { eventually } from '../../support/eventually.js';
import { inTemporaryDirectory } from '../../support/isolated.js';
import { listeningServer, type Answer, type ListeningServer } from '../../support/listening-server.js';
import { manualClock, type ManualClock } from './manual-clock.js';

const made = makeSessions({ sessions: 1_001, from: Date.parse('2026-11-20T10:00:00Z') });
const [first, second] = [made[0]!, made[1]!];
/** Of few bytes: 1,000 of them are no 896,000. */
const brief = made.map(({ tenantId, userSessionId, startTime }) => ({
  ...{ tenantId, userSessionId, startTime },
})) as unknown as readonly UserSession[];

describe("the sandbox's Dynatrace", () => {
  const ends: (() => Promise<void>)[] = [];
  let clock: ManualClock;

  beforeEach(() => {
    clock = manualClock();
  });
  afterEach(async () => {
    for (let end = ends.pop(); end !== undefined; end = ends.pop()) await end();
  });

  const listen = async (
    answer?: Answer,
    secure?: { readonly key: string; readonly cert: string },
  ): Promise<ListeningServer> => {
    const server = await listeningServer(answer, secure);
    ends.push(server.stop);
    return server;
  };
  const start = (options: DynatraceOptions): Dynatrace => {
    const dynatrace = startDynatrace({ clock, ...options });
    ends.push(dynatrace.stop);
    return dynatrace;
  };

  it('puts JSON, a document a line', async () => {
    const server = await listen();
    const dynatrace = start({ endpoints: [{ url: `${server.url}/dynatrace/rum` }] });
    dynatrace.end(first, second);
    await dynatrace.flush();
    const [heard] = server.heard;
    assert.deepEqual([heard?.method, heard?.path, heard?.version], ['PUT', '/dynatrace/rum', '1.1']);
    assert.equal(heard?.headers['content-type'], 'application/json');
    assert.equal(heard.headers.authorization, undefined);
    assert.equal(heard.body.toString(), `${sessionLine(first)}\n${sessionLine(second)}`);
    assert.deepEqual(dynatrace.sent, [
      { url: `${server.url}/dynatrace/rum`, sessions: [first, second], tries: 1 },
    ]);
  });

  it('posts where the form says so, with a password or a token, and compressed', async () => {
    const server = await listen();
    const { url } = server;
    const dynatrace = start({
      endpoints: [
        { url, method: 'POST', auth: { username: 'ferry', password: 'pä:ss' } },
        { url, auth: { bearer: 'abc.def' }, gzip: true },
      ],
    });
    dynatrace.end(first);
    await dynatrace.flush();
    const [posted, put] = server.heard.toSorted((one) => (one.method === 'POST' ? -1 : 1));
    assert.equal(posted?.method, 'POST');
    assert.equal(posted.headers.authorization, `Basic ${Buffer.from('ferry:pä:ss').toString('base64')}`);
    assert.equal(put?.headers.authorization, 'Bearer abc.def');
    assert.equal(put.headers['content-encoding'], 'gzip');
    assert.equal(gunzipSync(put.body).toString(), sessionLine(first));
  });

  it('sends to Elasticsearch in pairs of lines, with the key of each session', async () => {
    const server = await listen();
    const url = `${server.url}/_bulk`;
    const dynatrace = start({
      endpoints: [
        { url, elasticsearch: { index: 'rum', type: '_doc' } },
        { url: `${url}?8`, elasticsearch: { index: 'rum' } },
      ],
    });
    dynatrace.end(first, second);
    await dynatrace.flush();
    const [typed, untyped] = server.heard
      .toSorted((one) => (one.path === '/_bulk' ? -1 : 1))
      .map(({ body }) => body.toString().split('\n'));
    const actions = [first, second].map((session) => ({
      index: { _index: 'rum', _type: '_doc', _id: sessionKey(session) },
    }));
    assert.deepEqual(
      [typed?.[0], typed?.[2]],
      actions.map((action) => JSON.stringify(action)),
    );
    assert.deepEqual([typed?.[1], typed?.[3], typed?.[4]], [sessionLine(first), sessionLine(second), '']);
    assert.equal(
      untyped?.[0],
      `{"index":{"_index":"rum","_id":"${first.tenantId}-${first.userSessionId}-${first.startTime}"}}`,
    );
  });

  it('sends when 1,000 sessions have ended', async () => {
    const server = await listen();
    const dynatrace = start({ endpoints: [{ url: server.url }] });
    dynatrace.end(...brief.slice(0, 999));
    assert.equal(dynatrace.sent.length, 0);
    dynatrace.end(...brief.slice(999));
    await eventually(() => dynatrace.sent.length === 1);
    assert.equal(dynatrace.sent[0]?.sessions.length, 1_000);
    await dynatrace.flush();
    assert.equal(dynatrace.sent[1]?.sessions.length, 1);
  });

  it('sends when they are more than 896,000 bytes', async () => {
    const server = await listen();
    const dynatrace = start({ endpoints: [{ url: server.url }] });
    dynatrace.end(...made);
    await eventually(() => dynatrace.sent.length > 3);
    const { body } = server.heard[0]!;
    assert.ok(body.length > 896_000 - 1 && body.length < 896_000 + 25_000, String(body.length));
  });

  it('sends when none has ended for 30 seconds', async () => {
    const server = await listen();
    const dynatrace = start({ endpoints: [{ url: server.url }] });
    dynatrace.end(first);
    clock.advance(29_000);
    dynatrace.end(second);
    clock.advance(1_000);
    await eventually(() => clock.sleeping()[0] === 29_000);
    clock.advance(29_000);
    await eventually(() => dynatrace.sent.length === 1);
    assert.deepEqual(dynatrace.sent[0]?.sessions, [first, second]);
    dynatrace.end(first);
    await eventually(() => clock.sleeping().includes(30_000));
    clock.advance(30_000);
    await eventually(() => dynatrace.sent.length === 2);
  });

  it('sends to up to three endpoints, to each what its management zone holds', async () => {
    const server = await listen();
    const { url } = server;
    const dynatrace = start({
      endpoints: [
        { url: `${url}/1` },
        { url: `${url}/2`, zone: (one) => one === second },
        { url: `${url}/3` },
      ],
    });
    dynatrace.end(first, second);
    await dynatrace.flush();
    const lines = [sessionLine(first), sessionLine(second)];
    assert.deepEqual(server.heard.map(({ path, body }) => [path, body.toString()]).sort(), [
      ['/1', lines.join('\n')],
      ['/2', lines[1]],
      ['/3', lines.join('\n')],
    ]);
    const four = Array.from({ length: 4 }, () => ({ url }));
    assert.throws(
      () => startDynatrace({ endpoints: four }),
      /^RangeError: there are one to three endpoints, not 4$/,
    );
    assert.throws(() => startDynatrace({ endpoints: [] }), RangeError);
  });

  it('waits 30 seconds for an answer, tries three more times, then drops the bulk and alerts', async () => {
    const server = await listen((response, number) => {
      if (number >= 4) response.writeHead(200).end();
    });
    const dynatrace = start({ endpoints: [{ url: server.url }] });
    dynatrace.end(first);
    const flushed = dynatrace.flush();
    for (let attempt = 1; attempt <= 4; attempt += 1) {
      await eventually(() => server.heard.length === attempt && clock.sleeping()[0] === 30_000);
      clock.advance(29_999);
      assert.equal(clock.sleeping()[0], 1);
      clock.advance(1);
      if (attempt === 4) break;
      await eventually(() => clock.sleeping()[0] === 1_000);
      clock.advance(1_000);
    }
    await flushed;
    assert.deepEqual(dynatrace.alerts, [{ url: server.url, sessions: [first], message: 'Request timeout' }]);
    assert.equal(new Set(server.heard.map(({ body }) => body.toString())).size, 1, 'the same each time');
    dynatrace.end(second);
    await dynatrace.flush();
    assert.deepEqual(
      dynatrace.sent.map(({ sessions }) => sessions),
      [[second]],
      'the next bulk is sent',
    );
  });

  it('tries again after another answer than 200, and when there is no connection', async () => {
    const server = await listen((response, number) => {
      if (number === 0) response.writeHead(503, { 'retry-after': '1' }).end();
      else if (number === 1) response.socket?.destroy();
      else response.writeHead(number === 2 ? 200 : 401).end();
    });
    const dynatrace = start({ endpoints: [{ url: server.url }] });
    const hurry = async (flushed: Promise<void>): Promise<void> => {
      let done = false;
      void flushed.then(() => (done = true));
      await eventually(() => {
        if (clock.sleeping()[0] === 1_000) clock.advance(1_000);
        return done;
      });
    };
    dynatrace.end(first);
    await hurry(dynatrace.flush());
    assert.equal(dynatrace.sent[0]?.tries, 3);
    dynatrace.end(second);
    await hurry(dynatrace.flush());
    assert.equal(dynatrace.alerts[0]?.message, 'Code: 401 - Message: Unauthorized');
    assert.equal(server.heard.length, 7);
  });

  it('does not read the answer to its end', async () => {
    let gone = false;
    const server = await listen((response) => {
      response.on('close', () => (gone = true)).writeHead(200);
      const writeOn = (): void => {
        while (!response.destroyed && response.write('all is well '.repeat(1_000)));
        response.once('drain', writeOn);
      };
      writeOn();
    });
    const dynatrace = start({ endpoints: [{ url: server.url }] });
    dynatrace.end(first);
    await dynatrace.flush();
    assert.equal(dynatrace.sent.length, 1);
    await eventually(() => gone);
  });

  it('exports up to 50 sessions of the last seven days as a test, at once', async () => {
    const server = await listen(
      (response, number) => void response.writeHead(number === 2 ? 404 : 200).end(),
    );
    const dynatrace = start({ endpoints: [{ url: server.url }, { url: `${server.url}/2` }] });
    dynatrace.end(...brief.slice(0, 10));
    clock.advance(7 * 86_400_000);
    dynatrace.end(...brief.slice(10, 50));
    assert.equal(await dynatrace.testExport(), 'Code: 200 - Message: OK');
    dynatrace.end(...brief.slice(50, 70));
    assert.equal(await dynatrace.testExport(1), 'Code: 200 - Message: OK');
    assert.equal(await dynatrace.testExport(), 'Code: 404 - Message: Not Found');
    const asked = server.heard
      .slice(0, 3)
      .map(({ path, body }) => [path, body.toString().split('\n').length]);
    assert.deepEqual(asked, [
      ['/', 40],
      ['/2', 50],
      ['/', 50],
    ]);
    await assert.rejects(dynatrace.testExport(2), /^RangeError: there is no endpoint 2$/);
  });

  it('checks with a document that has no userSessionId', async () => {
    const server = await listen();
    const auth = { username: 'ferry', password: 'secret' };
    const dynatrace = start({ endpoints: [{ url: `${server.url}/rum`, method: 'POST', auth }] });
    assert.equal(await dynatrace.check(), taken);
    const [heard] = server.heard;
    assert.deepEqual([heard?.method, heard?.body.toString()], ['PUT', checkDocument]);
    assert.ok(heard?.headers.authorization?.startsWith('Basic '));
    assert.ok(!('userSessionId' in (JSON.parse(checkDocument) as object)));
  });

  it('sends over HTTPS to whom it trusts', () =>
    inTemporaryDirectory(async (folder) => {
      const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
      execFileSync(
        'openssl',
        [
          ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
          ...['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2'],
          ...['-keyout', keyFile, '-out', certFile],
        ],
        { stdio: 'ignore' },
      );
      const [key, cert] = [await readFile(keyFile, 'utf8'), await readFile(certFile, 'utf8')];
      const server = await listen(undefined, { key, cert });
      const dynatrace = start({ endpoints: [{ url: server.url, certificate: cert }, { url: server.url }] });
      assert.equal(await dynatrace.check(), taken);
      assert.equal(server.heard[0]?.version, '1.1');
      assert.match(await dynatrace.check(1), /self-signed certificate/);
    }));

  it('ends what it is doing when it is stopped', async () => {
    const server = await listen(() => undefined);
    const dynatrace = start({ endpoints: [{ url: server.url }] });
    dynatrace.end(first);
    void dynatrace.flush();
    dynatrace.end(second);
    await eventually(() => server.heard.length === 1);
    await dynatrace.stop();
    assert.deepEqual([dynatrace.sent, dynatrace.alerts, clock.sleeping()], [[], [], []]);
  });
});
