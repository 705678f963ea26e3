import assert from 'node:assert/strict';

import { bearer, openReceiver, send, sendingSource, type Received, type TestReceiver } from './receiving.js';

const body = '{"index":{"_id":"a"}}\n{"userSessionId":"A"}\n{"create":{}}\n{"userSessionId":"B"}\n';
const otherToken = { authorization: 'Bearer another-token' };

/** What the clients of one major version send with each request. */
const accept = (major: number): Record<string, string> => ({
  accept: `application/vnd.elasticsearch+json; compatible-with=${major}`,
});

interface Item {
  readonly _index: string;
  readonly _id: string;
  readonly status: number;
}

function items({ text }: Received): readonly Item[] {
  const answer = JSON.parse(text) as { items: Record<string, Item>[]; errors: boolean };
  assert.equal(answer.errors, false);
  return answer.items.flatMap((item) => Object.values(item));
}

describe("what Elasticsearch's official clients need of the receiver", () => {
  let receiver: TestReceiver;
  const other = sendingSource('other', {}, { auth: { bearer: 'another-token' } }).source;

  before(async () => {
    receiver = await openReceiver({
      ...{ name: 'rum', others: [other], source: { path: '/export/events' } },
    });
  });
  after(() => receiver.close());

  for (const place of ['/', '/dynatrace/rum', '/export/events']) {
    for (const major of [8, 9]) {
      it(`GET ${place} tells a client of version ${major} a version that it takes`, async () => {
        const received = await receiver.send({ method: 'GET', path: place, headers: accept(major) });
        assert.equal(received.status, 200);
        assert.equal(received.headers['x-elastic-product'], 'Elasticsearch');
        assert.match(
          String(received.headers['content-type']),
          new RegExp(`^application/vnd\\.elasticsearch\\+json; *compatible-with="?${major}"?(?:;|$)`),
        );
        const { version, tagline } = JSON.parse(received.text) as {
          version: { number: string };
          tagline: string;
        };
        assert.deepEqual([version.number, tagline], [`${major}.0.0`, 'You Know, for Search']);
      });
    }

    it(`HEAD ${place} answers a ping`, async () => {
      const { status, headers, text } = await receiver.send({ method: 'HEAD', path: place });
      assert.deepEqual([status, headers['x-elastic-product'], text], [200, 'Elasticsearch', '']);
    });
  }

  for (const [path, index] of [
    ['/_bulk', 'rum'],
    ['/sessions/_bulk', 'sessions'],
    ['/dynatrace/rum/_bulk', 'rum'],
    ['/dynatrace/rum/sessions/_bulk', 'sessions'],
    ['/export/events/_bulk', 'rum'],
    ['/export/events/sessions/_bulk', 'sessions'],
  ] as const) {
    it(`POST ${path} takes a body, whose items are of index ${index}`, async () => {
      const before = (await receiver.rows()).length;
      const received = await receiver.send({ method: 'POST', path, headers: accept(9), body });
      assert.equal(received.status, 200);
      assert.equal(received.headers['x-elastic-product'], 'Elasticsearch');
      assert.deepEqual(
        items(received).map(({ _index, status }) => [_index, status]),
        [
          [index, 201],
          [index, 201],
        ],
      );
      assert.equal(items(received)[0]?._id, 'a');
      const rows = await receiver.rows();
      assert.equal(rows.length, before + 1);
      assert.deepEqual([rows.at(-1)?.source, rows.at(-1)?.form], ['rum', 'bulk']);
    });
  }

  it('PUT to the path of a source takes documents', async () => {
    const { status, text } = await receiver.send({ path: '/export/events', body: '{"userSessionId":"A"}\n' });
    assert.deepEqual([status, text], [200, '{"documents":1}\n']);
  });

  it('refusals name the product too, in the form of an error', async () => {
    const { status, headers, text } = await receiver.send({
      headers: { authorization: 'Basic x' },
      path: '/_bulk',
    });
    assert.equal(status, 401);
    assert.equal(headers['x-elastic-product'], 'Elasticsearch');
    assert.deepEqual(Object.keys(JSON.parse(text) as object), ['error', 'status']);
  });

  it('at the root, the credentials tell the source', async () => {
    const received = await receiver.send({ path: '/_bulk', headers: otherToken, body });
    assert.equal(items(received)[0]?._index, 'other');
  });

  describe('where two sources have the same credentials', () => {
    let shared: TestReceiver;

    before(async () => {
      shared = await openReceiver({ name: 'first', others: [sendingSource('second').source] });
    });
    after(() => shared.close());

    it('the index tells the source', async () => {
      const received = await shared.send({ path: '/second/_bulk', body });
      assert.equal(received.status, 200);
      const { rows } = await shared.database.pool.query('select source from landfall.inbox');
      assert.deepEqual(rows, [{ source: 'second' }]);
    });

    it('a request that names neither is refused', async () => {
      const { status, text } = await shared.send({ path: '/others/_bulk', body });
      assert.equal(status, 400);
      assert.match(text, /"several_sources"/);
    });
  });

  describe('without right credentials', () => {
    const places = [
      ...[
        '/',
        '/_bulk',
        '/dynatrace/rum',
        '/dynatrace/other',
        '/dynatrace/nobody',
        '/dynatrace/nobody/_bulk',
      ],
      ...['/export/events', '/export/nothing', '/nothing'],
    ];

    it('every path answers the same, so that nobody learns which sources there are', async () => {
      const answers = new Set<string>();
      for (const method of ['PUT', 'POST', 'DELETE']) {
        for (const path of places) {
          const { status, text, headers } = await send(receiver.url, {
            ...{ method, path, headers: { authorization: 'Bearer wrong' } },
          });
          answers.add(`${status} ${headers['www-authenticate']} ${text}`);
        }
      }
      assert.equal(answers.size, 1);
      assert.match([...answers][0] ?? '', /^401 /);
    });

    it("those of another source learn as much of a source's name as of one that does not exist", async () => {
      const answers = new Set<string>();
      for (const path of ['/dynatrace/rum', '/dynatrace/nobody', '/export/events/_bulk']) {
        const { status, text } = await send(receiver.url, { method: 'PUT', path, headers: otherToken });
        answers.add(`${status} ${text}`);
      }
      assert.equal(answers.size, 1);
      assert.match([...answers][0] ?? '', /^404 /);
    });
  });

  it('takes the token of a source as well as its user', async () => {
    const { status } = await receiver.send({ path: '/_bulk', headers: bearer, body });
    assert.equal(status, 200);
  });
});
