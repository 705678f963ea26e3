import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';

import fc from 'fast-check';

import { eventually } from '../support/eventually.js';
import { basic, exchange, openReceiver, send, type TestReceiver } from './receiving.js';

const maxBody = 1_000_000;

describe("the receiver's limits", () => {
  let receiver: TestReceiver;
  before(async () => {
    receiver = await openReceiver({
      settings: { maxBody: '1 MB', memory: '4 MB' },
      times: { stall: 300, linger: 1_000, hold: 1_500 },
    });
  });
  after(() => receiver.close());
  beforeEach(() => receiver.database.pool.query('delete from landfall.inbox'));

  const inFlight = async (): Promise<string | undefined> => {
    const { text } = await send(receiver.url, { method: 'GET', path: '/metrics' });
    return /^landfall_receiver_in_flight_bytes (\d+)$/m.exec(text)?.[1];
  };
  const head = (...lines: string[]): string =>
    [
      `PUT /dynatrace/${receiver.source.name} HTTP/1.1`,
      'host: a',
      `authorization: ${basic.authorization}`,
      ...lines,
      '\r\n',
    ].join('\r\n');
  const open = async (): Promise<Socket> => {
    const socket = connect({ host: '127.0.0.1', port: receiver.port });
    await once(socket, 'connect');
    return socket;
  };

  it('let a body of just that size pass, and refuse one that is a byte larger', async () => {
    const fits = 'a'.repeat(maxBody);
    for (const [body, status] of [
      [fits, 200],
      [`${fits}a`, 413],
    ] as const) {
      const headers = { 'content-encoding': 'gzip' };
      const zipped = gzipSync(body);
      assert.equal((await receiver.send({ body })).status, status);
      assert.equal((await receiver.send({ body: [body] })).status, status);
      assert.equal((await receiver.send({ body: zipped, headers })).status, status);
      assert.equal((await receiver.send({ body: [zipped], headers })).status, status);
    }
    assert.equal((await receiver.rows()).length, 4);
  });

  it('end a gzip bomb without unpacking it', async () => {
    const member = gzipSync(Buffer.alloc(16_000_000), { level: 9 });
    const bomb = Buffer.concat(Array.from({ length: 60 }, () => member));
    assert.ok(bomb.length < maxBody);
    const before = process.memoryUsage().rss;
    const { status } = await receiver.send({ body: bomb, headers: { 'content-encoding': 'gzip' } });
    assert.equal(status, 413);
    assert.ok(process.memoryUsage().rss - before < 200e6);
    assert.equal(await inFlight(), '0');
  });

  it('refuse gzip that is cut off, damaged or has something behind it, wherever that is', async () => {
    const whole = gzipSync('{"tenantId":"t"}\n'.repeat(50));
    const wrong = fc.oneof(
      fc.integer({ min: 1, max: whole.length - 1 }).map((at) => whole.subarray(0, at)),
      fc.uint8Array({ minLength: 1, maxLength: 40 }).map((rest) => Buffer.concat([whole, rest])),
    );
    const cuts = fc.nat({ max: whole.length });
    await fc.assert(
      fc.asyncProperty(wrong, cuts, async (sent, cut) => {
        const body = [sent.subarray(0, cut), sent.subarray(cut)].filter(({ length }) => length > 0);
        const { status } = await receiver.send({ body, headers: { 'content-encoding': 'gzip' } });
        assert.equal(status, 400);
      }),
      { numRuns: 60 },
    );
    assert.deepEqual(await receiver.rows(), []);
  });

  it('take many tiny chunks as one body', async () => {
    const body = Array.from({ length: 3_000 }, () => 'a');
    assert.equal((await receiver.send({ body })).status, 200);
    assert.equal((await receiver.rows())[0]?.body, 'a'.repeat(3_000));
  });

  for (const [what, headers, status] of [
    ['is not let in', { authorization: 'Basic x' }, 401],
    ['announces too much', {}, 413],
  ] as const) {
    it(`answer a sender who ${what} though it reads nothing before it has sent all`, async () => {
      const socket = await open();
      const body = Buffer.alloc(20_000_000, 'a');
      const lines = { authorization: basic.authorization, ...headers };
      socket.pause();
      socket.write(
        `POST /dynatrace/${receiver.source.name} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n` +
          `authorization: ${lines.authorization}\r\ncontent-length: ${body.length}\r\n\r\n`,
      );
      await new Promise((resolve) => socket.write(body, resolve));
      let heard = '';
      socket.on('data', (part: Buffer) => (heard += part.toString()));
      socket.resume();
      await once(socket, 'close');
      assert.match(heard, new RegExp(`^HTTP/1.1 ${status} `));
    });
  }

  it('answer on a kept connection, which goes on after a refusal', async () => {
    const name = receiver.source.name;
    const two =
      `PUT /dynatrace/others HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc` +
      `PUT /dynatrace/${name} HTTP/1.1\r\nhost: a\r\nauthorization: ${basic.authorization}\r\ncontent-length: 2\r\n\r\n{}`;
    const heard = await exchange(receiver.port, two, (text) => text.includes('"documents"'));
    assert.deepEqual(heard.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 401', 'HTTP/1.1 200']);
  });

  it('cut off a sender who goes on sending what was refused', async () => {
    const socket = await open();
    socket.on('error', () => undefined);
    socket.write(`PUT /dynatrace/others HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n`);
    const more = setInterval(() => socket.write('1\r\na\r\n'), 20);
    let heard = '';
    socket.on('data', (part: Buffer) => (heard += part.toString()));
    await once(socket, 'close');
    clearInterval(more);
    assert.match(heard, /^HTTP\/1\.1 401 /);
  });

  it('answer 408 to a body that stalls, and hold nothing for it', async () => {
    for (const how of ['content-length: 10', 'transfer-encoding: chunked']) {
      assert.match(await exchange(receiver.port, head(how, '', '2\r\nab').trimEnd()), /^HTTP\/1\.1 408 /);
    }
    assert.equal(await inFlight(), '0');
    assert.deepEqual(await receiver.rows(), []);
  });

  it('keep nothing of a body whose sender goes away in the middle of it', async () => {
    const socket = await open();
    socket.write(`${head('content-length: 500000')}abc`);
    await eventually(async () => (await inFlight()) === '500000');
    socket.destroy();
    await eventually(async () => (await inFlight()) === '0');
    assert.deepEqual(await receiver.rows(), []);
    const { text } = await send(receiver.url, { method: 'GET', path: '/metrics' });
    assert.match(text, /landfall_receiver_requests_total\{[^}]*status="aborted"\} 1/);
  });

  it('end the connection of a sender who does not read its long answer', async () => {
    const socket = await open();
    const line = '{"index":{}}\n{}\n';
    const body = line.repeat(Math.floor(maxBody / line.length));
    const to = head(`content-length: ${body.length}`).replace(
      receiver.source.name,
      `${receiver.source.name}/_bulk`,
    );
    socket.pause().on('error', () => undefined);
    socket.write(to + body);
    await eventually(async () => (await receiver.rows()).length === 1);
    await eventually(async () => (await inFlight()) === '0');
  });

  it('tell a sender who waits for it to go on only when its credentials are right', async () => {
    const wait = 'expect: 100-continue';
    const wrong = head(wait, 'content-length: 5000000').replace('Basic ', 'Basic x');
    assert.match(await exchange(receiver.port, wrong), /^HTTP\/1\.1 401 /);
    assert.match(await exchange(receiver.port, head(wait, 'content-length: 5000000')), /^HTTP\/1\.1 413 /);
    const socket = await open();
    let heard = '';
    socket.on('data', (part: Buffer) => (heard += part.toString()));
    socket.write(head(wait, 'content-length: 2'));
    await eventually(() => heard === 'HTTP/1.1 100 Continue\r\n\r\n');
    socket.write('{}');
    await eventually(() => heard.includes('HTTP/1.1 200 '));
    socket.destroy();
  });

  it('refuse transfer codings other than chunked', async () => {
    const sent = `${head('transfer-encoding: gzip, chunked', 'connection: close')}0\r\n\r\n`;
    assert.match(await exchange(receiver.port, sent), /^HTTP\/1\.1 415 /);
  });
});

describe('500 senders at once', function () {
  this.timeout(60_000);
  const crowd = 500;
  let receiver: TestReceiver;
  const statuses: number[] = [];
  const openFor = async (maxWaiting: number): Promise<void> => {
    statuses.length = 0;
    receiver = await openReceiver({ settings: { maxBody: '100 kB', memory: '1 MB', maxWaiting } });
  };
  /** In chunks, so that each takes as much memory as the largest body may. */
  const sendAll = (): Promise<unknown> =>
    Promise.all(
      Array.from({ length: crowd }, async (_, id) => {
        const { status, headers } = await receiver.send({
          body: [`{"userSessionId":"${id}"}\n`, 'a'.repeat(10_000)],
        });
        statuses.push(status);
        if (status === 503) assert.match(String(headers['retry-after']), /^\d+$/);
      }),
    );
  const taken = async (): Promise<number> =>
    new Set((await receiver.rows()).map(({ body }) => body.split('\n')[0])).size;
  afterEach(() => receiver.close());

  it('are all taken where they may wait', async () => {
    await openFor(1_000);
    await sendAll();
    assert.deepEqual([new Set(statuses), await taken()], [new Set([200]), crowd]);
  });

  it('are all answered where they may not: some are told to come again', async () => {
    await openFor(20);
    const { pool } = receiver.database;
    const client = await pool.connect();
    // Nobody's turn comes to its end until most are told that there is no room.
    await client.query('begin; lock table landfall.inbox');
    const all = sendAll();
    await eventually(() => statuses.length > 300, { timeoutMs: 20_000 });
    assert.deepEqual(new Set(statuses), new Set([503]));
    await client.query('rollback');
    client.release();
    await all;
    assert.equal(statuses.length, crowd);
    assert.equal(statuses.filter((status) => status === 200).length, await taken());
    assert.ok((await taken()) >= 20);
  });
});
