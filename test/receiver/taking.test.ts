import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';

import { basic, bearer, openReceiver, send, token, type TestReceiver } from './receiving.js';

const documents =
  '{"tenantId":"t","userSessionId":"a","startTime":1}\n{"tenantId":"t","userSessionId":"b","startTime":2}';
const action = '{"index":{"_index":"sessions","_id":"t-a-1"}}';
const bulk = `${action}\n{"userSessionId":"a"}\n{"create":{"_id":"b"}}\n{"userSessionId":"b"}\n`;

describe('the receiver', () => {
  let receiver: TestReceiver;
  before(async () => {
    receiver = await openReceiver();
  });
  after(() => receiver.close());
  beforeEach(async () => {
    await receiver.database.pool.query('delete from landfall.inbox');
    receiver.nudges.length = 0;
  });
  const path = (): string => `/dynatrace/${receiver.source.name}`;

  for (const method of ['PUT', 'POST']) {
    it(`takes documents with ${method}, and says 200 when they are in the inbox`, async () => {
      const { status, text } = await receiver.send({ method, body: documents });
      assert.equal(status, 200);
      assert.deepEqual(JSON.parse(text), { documents: 2 });
      assert.deepEqual(await receiver.rows(), [
        {
          ...{ source: receiver.source.name, form: 'documents', body: documents, bytes: documents.length },
          ...{ sha256: createHash('sha256').update(documents).digest('hex'), documents: 2, level: 4 },
        },
      ]);
      assert.deepEqual(receiver.nudges, [{ source: receiver.source.name, bytes: documents.length }]);
    });

    it(`takes Elasticsearch's form with ${method}, and answers in it`, async () => {
      const { status, text, headers } = await receiver.send({ method, path: `${path()}/_bulk`, body: bulk });
      assert.equal(status, 200);
      assert.match(String(headers['content-type']), /^application\/json/);
      const answer = JSON.parse(text) as { took: number; errors: boolean; items: Record<string, object>[] };
      assert.equal(answer.errors, false);
      assert.ok(Number.isInteger(answer.took));
      assert.deepEqual(
        answer.items.map((item) => Object.keys(item)),
        [['index'], ['create']],
      );
      assert.deepEqual(
        { ...answer.items[0]!['index'], _seq_no: 0 },
        {
          ...{ _index: 'sessions', _id: 't-a-1', _version: 1, result: 'created' },
          ...{ _shards: { total: 1, successful: 1, failed: 0 }, _seq_no: 0, _primary_term: 1, status: 201 },
        },
      );
      assert.equal((answer.items[1]!['create'] as { _index: string })._index, receiver.source.name);
      const [row] = await receiver.rows();
      assert.deepEqual([row?.form, row?.documents, row?.body], ['bulk', 2, bulk]);
    });
  }

  it('keeps the whole of a body of which Elasticsearch would refuse a part', async () => {
    const body = `{"delete":{"_id":"x"}}\n${action}\n`;
    const { status, text } = await receiver.send({ path: `${path()}/_bulk`, body });
    const answer = JSON.parse(text) as {
      errors: boolean;
      items: Record<string, { status: number; error: object }>[];
    };
    assert.equal(status, 200);
    assert.equal(answer.errors, true);
    assert.deepEqual(
      answer.items.map((item) =>
        Object.entries(item).map(([kind, { status: of, error }]) => [kind, of, typeof error]),
      ),
      [[['delete', 400, 'object']], [['index', 400, 'object']]],
    );
    assert.deepEqual(
      (await receiver.rows()).map((row) => [row.body, row.documents]),
      [[body, 1]],
    );
  });

  it('writes an answer that is many times larger than its body', async () => {
    const body = '{"index":{}}\n{}\n'.repeat(20_000);
    const { status, text } = await receiver.send({ path: `${path()}/_bulk`, body });
    assert.equal(status, 200);
    assert.equal((JSON.parse(text) as { items: object[] }).items.length, 20_000);
  });

  it('takes a bearer token as well', async () => {
    assert.equal((await receiver.send({ headers: bearer, body: '{}' })).status, 200);
    assert.equal((await receiver.send({ headers: { authorization: `bEARER ${token}` } })).status, 200);
  });

  it('takes a body in chunks', async () => {
    const parts = documents.split(/(?=s)/);
    assert.equal((await receiver.send({ body: parts })).status, 200);
    assert.equal((await receiver.rows())[0]?.body, documents);
  });

  for (const coding of ['gzip', 'x-gzip', 'GZIP']) {
    it(`takes a body in ${coding}`, async () => {
      const body = Buffer.concat([gzipSync(documents.slice(0, 10)), gzipSync(documents.slice(10))]);
      for (const sent of [body, [body.subarray(0, 30), body.subarray(30)]]) {
        const { status } = await receiver.send({ headers: { 'content-encoding': coding }, body: sent });
        assert.equal(status, 200);
      }
      assert.deepEqual(
        (await receiver.rows()).map((row) => [row.body, row.bytes]),
        [documents, documents].map((text) => [text, text.length]),
      );
    });
  }

  it('takes what is no JSON, and an empty body', async () => {
    for (const body of ['no JSON\n', '', '\n']) assert.equal((await receiver.send({ body })).status, 200);
    assert.equal((await receiver.send({ headers: { 'content-encoding': 'gzip' } })).status, 200);
    assert.deepEqual(
      (await receiver.rows()).map(({ body, documents: count }) => [body, count]),
      [
        ['no JSON\n', 1],
        ['', 0],
        ['\n', 0],
        ['', 0],
      ],
    );
  });

  for (const type of [
    'application/json',
    'application/x-ndjson',
    'text/plain',
    '',
    'no type at all',
    ';;;',
    'a/b; c',
  ]) {
    it(`takes whatever content type: '${type}'`, async () => {
      assert.equal((await receiver.send({ headers: { 'content-type': type }, body: '{}' })).status, 200);
    });
  }

  it("takes the vendor's own test call", async () => {
    const body =
      '{"visitorId":"1","visitId":"2","startTime":1480463779085,"endTime":1480463784889,"visitType":"SYNTHETIC"}';
    const { status } = await receiver.send({ headers: { 'content-type': 'application/json' }, body });
    assert.equal(status, 200);
  });

  it('passes over a slash at the end, a query and percent signs in paths', async () => {
    const { name } = receiver.source;
    const encoded = `%${name.charCodeAt(0).toString(16)}${name.slice(1)}`;
    for (const place of [
      `${name}/`,
      `${name}?refresh=true`,
      `${name}/_bulk/`,
      `${name}/_bulk?a=b`,
      encoded,
    ]) {
      assert.equal((await receiver.send({ path: `/dynatrace/${place}` })).status, 200, place);
    }
    assert.equal((await receiver.rows()).length, 5);
  });

  const refused: readonly [
    what: string,
    sending: Parameters<typeof receiver.send>[0],
    status: number,
    type: string,
  ][] = [
    ['an unknown source', { path: '/dynatrace/others' }, 404, 'unknown_source'],
    ['an unknown source in bulk', { path: '/dynatrace/others/_bulk' }, 404, 'unknown_source'],
    ['another path', { path: '/others' }, 404, 'unknown_path'],
    ['more path', { path: '/dynatrace/a/b/_bulk/c' }, 404, 'unknown_path'],
    ['a path that is none', { path: '/dynatrace/%zz' }, 400, 'malformed'],
    ['deflate', { headers: { 'content-encoding': 'deflate' } }, 415, 'unknown_coding'],
    ['gzip twice', { headers: { 'content-encoding': 'gzip, gzip' } }, 415, 'unknown_coding'],
    ['no gzip', { headers: { 'content-encoding': 'gzip' }, body: 'no gzip' }, 400, 'unreadable_gzip'],
  ];
  for (const [what, sending, status, type] of refused) {
    it(`refuses ${what} with ${status}`, async () => {
      const received = await receiver.send({ body: documents, ...sending });
      assert.equal(received.status, status);
      const { error } = JSON.parse(received.text) as { error: { type: string; reason: string } };
      assert.equal(error.type, type);
      assert.match(error.reason, /\.$/);
      assert.deepEqual(await receiver.rows(), []);
    });
  }

  for (const method of ['DELETE', 'PATCH', 'OPTIONS', 'PROPFIND']) {
    it(`refuses ${method} with 405`, async () => {
      for (const place of [path(), `${path()}/_bulk/?a`]) {
        const { status, headers } = await receiver.send({ method, path: place });
        assert.deepEqual([status, headers.allow], [405, 'PUT, POST']);
      }
    });
  }

  it('refuses wrong credentials with 401, and says which there are', async () => {
    const user = (pair: string): string => `Basic ${Buffer.from(pair).toString('base64')}`;
    const wrong = [
      ...[
        '',
        'Basic',
        'Basic ',
        'Bearer',
        'Digest a',
        'basic',
        token,
        user('dynatrace'),
        user(':'),
        user('dynatrace:'),
      ],
      ...[
        user('dynatrace:wrong'),
        user('wrong:correct-horse'),
        user('dynatrace:correct-horse '),
        `Basic ${token}`,
      ],
      ...[`Bearer ${token}x`, `Bearer ${token.slice(1)}`, basic.authorization.replace('Basic', 'Bearer')],
    ];
    for (const authorization of wrong) {
      const { status, headers } = await receiver.send({ headers: { authorization }, body: documents });
      assert.equal(status, 401, authorization);
      assert.equal(
        headers['www-authenticate'],
        'Basic realm="landfall", charset="UTF-8", Bearer realm="landfall"',
      );
    }
    assert.equal((await send(receiver.url, { path: path(), body: documents })).status, 401);
    assert.deepEqual(await receiver.rows(), []);
    assert.doesNotMatch(JSON.stringify(receiver.log), /correct-horse|dG9rZW4|ZHluYXRyYWNl/);
  });

  it('tells who looks after it that it lives, is ready, and what it counted', async () => {
    const sent = await openReceiver();
    try {
      assert.equal((await send(sent.url, { method: 'GET', path: '/health' })).status, 200);
      assert.equal((await send(sent.url, { method: 'GET', path: '/ready' })).status, 200);
      await sent.send({ body: documents });
      await sent.send({ path: '/nowhere' });
      const { text, headers } = await send(sent.url, { method: 'GET', path: '/metrics' });
      const { name } = sent.source;
      assert.match(String(headers['content-type']), /^text\/plain; version=0\.0\.4/);
      for (const line of [
        `landfall_receiver_requests_total{source="${name}",form="documents",status="200"} 1`,
        'landfall_receiver_requests_total{source="",form="",status="404"} 1',
        `landfall_receiver_bytes_total{source="${name}"} ${documents.length}`,
        `landfall_receiver_sessions_total{source="${name}"} 2`,
        `landfall_receiver_request_duration_seconds_count{source="${name}"} 1`,
        'landfall_receiver_in_flight_bytes 0',
        'landfall_receiver_waiting 0',
        `landfall_inbox_bodies{source="${name}"} 1`,
        `landfall_inbox_bytes{source="${name}"} ${documents.length}`,
      ]) {
        assert.ok(text.split('\n').includes(line), line);
      }
      assert.match(text, new RegExp(`landfall_inbox_oldest_seconds\\{source="${name}"\\} [\\d.]+`));
    } finally {
      await sent.close();
    }
  });

  it('tells the workflow of what waited when it starts', async () => {
    await receiver.send({ body: documents });
    const { database, source } = receiver;
    const again = await openReceiver({ database, name: source.name });
    await again.close();
    assert.deepEqual(again.nudges, [{ source: source.name, bytes: documents.length }]);
  });

  it('answers 200 though the workflow cannot be told, and counts that', async () => {
    const untold = await openReceiver({ nudge: () => Promise.reject(new Error('Temporal is away')) });
    try {
      assert.equal((await untold.send({ body: documents })).status, 200);
      assert.equal((await untold.rows()).length, 1);
      const { text } = await send(untold.url, { method: 'GET', path: '/metrics' });
      assert.match(text, /^landfall_receiver_nudge_failures_total\{source="[^"]+"\} 1$/m);
    } finally {
      await untold.close();
    }
  });
});
