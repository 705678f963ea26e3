import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

import pg from 'pg';

import { postgresAdvice, temporalAdvice } from '../../client/checks/connection.js';
import { testDatabase } from '../support/postgres.js';

/** What a connection by this address fails with. */
async function failure(url: string): Promise<unknown> {
  try {
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => undefined);
    await client.connect();
    await client.end();
  } catch (error) {
    return error;
  }
  return assert.fail(`${url} connects`);
}

describe('what check says of a connection to Postgres', function () {
  this.timeout(60_000);

  for (const url of [
    'postgres://landfall:p@ss@127.0.0.1:1/landfall',
    'postgres://landfall:pa/ss@127.0.0.1:1/landfall',
    'postgres://landfall:100%@127.0.0.1:1/landfall',
  ]) {
    it(`names the password that is not encoded: ${url}`, async () => {
      const advice = postgresAdvice(await failure(url), url);
      assert.match(advice, /has to be encoded in postgres\.url \('p%40ss' for 'p@ss'\)/);
      assert.ok(!advice.includes('pa/ss') && !advice.includes('100%@'));
    });
  }

  it('says that the server has no TLS, where the address asks for it', async () => {
    const database = await testDatabase();
    try {
      const url = `${database.url}${database.url.includes('?') ? '&' : '?'}sslmode=require`;
      assert.match(
        postgresAdvice(await failure(url), url),
        /The server has no TLS, and postgres\.url asks for it/,
      );
    } finally {
      await database.drop();
    }
  });

  it('says that nobody speaks TLS there', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      // It says yes, and then goes on without.
      socket.once('data', () => {
        socket.write('S');
        socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `postgres://u:p@127.0.0.1:${(server.address() as AddressInfo).port}/d?sslmode=require`;
    try {
      assert.match(postgresAdvice(await failure(url), url), /does not speak TLS there/);
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it('knows a certificate that is not trusted, of Temporal too', () => {
    const error = Object.assign(new Error('self-signed certificate in certificate chain'), {
      code: 'SELF_SIGNED_CERT_IN_CHAIN',
    });
    assert.match(temporalAdvice(error), /NODE_EXTRA_CA_CERTS/);
    const url = 'postgres://u:p@h/d?sslmode=require';
    assert.match(postgresAdvice(error, url), /NODE_EXTRA_CA_CERTS.*'sslmode=no-verify'/);
    assert.match(temporalAdvice(new Error('refused')), /Mend that/);
  });
});
