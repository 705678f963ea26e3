import assert from 'node:assert/strict';

import fc from 'fast-check';

import { basic, exchange, openReceiver, send, type TestReceiver } from './receiving.js';

describe('the receiver, whatever is sent to it', function () {
  this.timeout(60_000);
  let receiver: TestReceiver;
  before(async () => {
    receiver = await openReceiver({
      settings: { maxBody: '10 kB' },
      times: { head: 400, stall: 100, linger: 100 },
    });
  });
  after(() => receiver.close());

  /** Answers with nothing but what is meant to be answered, and goes on. */
  const survives = async (sent: Buffer | string): Promise<void> => {
    const heard = await exchange(receiver.port, sent).catch(() => '');
    for (const [, status = ''] of heard.matchAll(/^HTTP\/1\.1 (\d{3})/gm)) {
      assert.ok(Number(status) < 500 || status === '503', `${status}: ${JSON.stringify(heard)}`);
    }
    assert.equal((await send(receiver.url, { method: 'GET', path: '/health' })).status, 200);
  };

  const runs = { numRuns: 150 };
  const visible = fc.string({
    unit: fc.integer({ min: 0x21, max: 0xff }).map((at) => String.fromCharCode(at)),
  });
  const close = 'host: a\r\nconnection: close\r\n';

  it('as a path', async () => {
    const piece = fc.oneof(
      visible,
      fc.constantFrom(
        'dynatrace',
        receiver.source.name,
        '_bulk',
        '..',
        '.',
        '%2F',
        '%00',
        '%zz',
        '%',
        '*',
        '?',
        '//',
      ),
      fc.constantFrom('__proto__', 'constructor', '%C0%AF', '%ed%a0%80', 'http://b/', ';a', 'a'.repeat(300)),
    );
    const path = fc.array(piece, { maxLength: 5 }).map((pieces) => `/${pieces.join('/')}`);
    const method = fc.constantFrom(
      'PUT',
      'POST',
      'GET',
      'HEAD',
      'OPTIONS',
      'CONNECT',
      'TRACE',
      'QUERY',
      'M-SEARCH',
      'put',
    );
    await fc.assert(
      fc.asyncProperty(method, path, (how, where) =>
        survives(Buffer.from(`${how} ${where} HTTP/1.1\r\n${close}content-length: 2\r\n\r\n{}`, 'latin1')),
      ),
      runs,
    );
  });

  it('as headers', async () => {
    const name = fc.oneof(
      visible,
      fc.constantFrom(
        'authorization',
        'content-encoding',
        'content-type',
        'content-length',
        'transfer-encoding',
      ),
      fc.constantFrom(
        'expect',
        'upgrade',
        'connection',
        'te',
        'trailer',
        'host',
        'http2-settings',
        '__proto__',
      ),
    );
    const value = fc.oneof(
      visible,
      fc.constantFrom(
        'gzip',
        'gzip, gzip',
        'chunked',
        'chunked, chunked',
        'identity',
        '-1',
        '0',
        '1',
        '99999999999999999999',
      ),
      fc.constantFrom(
        'Basic ',
        'Basic Og==',
        'Bearer ',
        basic.authorization,
        '100-continue',
        'h2c',
        'websocket',
        'close',
      ),
      fc.constantFrom('keep-alive', 'application/json', 'a/b;c="', ' ', 'a'.repeat(20_000)),
    );
    const headers = fc.array(fc.tuple(name, value), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(headers, fc.boolean(), (given, known) => {
        const lines = given.map(([key, what]) => `${key}: ${what}\r\n`).join('');
        const login = known ? `authorization: ${basic.authorization}\r\n` : '';
        const head = `PUT /dynatrace/${receiver.source.name} HTTP/1.1\r\n${close}${login}${lines}\r\n`;
        return survives(Buffer.from(`${head}2\r\n{}\r\n0\r\n\r\n`, 'latin1'));
      }),
      runs,
    );
  });

  it('as anything at all', async () => {
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 300 }).map((at) => Buffer.from(at));
    const known = fc.constantFrom(
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      'GET /health\r\n\r\n',
      'GET /health HTTP/1.0\r\n\r\n',
      'GET /health HTTP/9.9\r\n\r\n',
      '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
      `${'GET /health HTTP/1.1\r\nhost: a\r\n\r\n'.repeat(20)}nothing`,
      `PUT /dynatrace/others HTTP/1.1\r\n${close}transfer-encoding: chunked\r\n\r\nzz\r\n`,
    );
    await fc.assert(
      fc.asyncProperty(fc.oneof({ weight: 2, arbitrary: known }, bytes), (sent) => survives(sent)),
      { numRuns: 60 },
    );
  });
});
