import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFile, mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';

import { pino } from 'pino';

import { startReceiver } from '../../receiver/server.js';
import { eventually } from '../support/eventually.js';
import { inTemporaryDirectory } from '../support/isolated.js';
import { skip } from '../support/skip.js';
import { openReceiver, send, sendingSource } from './receiving.js';

/** Writes `cert.pem` and `key.pem` into a new folder. */
async function makePair(folder: string, name: string): Promise<{ certificate: string; key: string }> {
  await mkdir(folder, { recursive: true });
  const pair = { certificate: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  execFileSync(
    'openssl',
    [
      ...[
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-days',
        '2',
      ],
      ...['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1'],
      ...['-keyout', pair.key, '-out', pair.certificate],
    ],
    { stdio: 'pipe' },
  );
  return pair;
}

const hasOpenssl = ((): boolean => {
  try {
    execFileSync('openssl', ['version'], { stdio: 'pipe' });
    return true;
  } catch {
    return false;
  }
})();

describe('the receiver over HTTPS', function () {
  before(function () {
    if (hasOpenssl) return;
    if (process.env['CI']) throw new Error('HTTPS cannot be tested: there is no openssl.');
    skip(this, 'there is no openssl, which makes the certificates.');
  });

  const greet = (port: number, options: object = {}): Promise<TLSSocket> =>
    new Promise((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options }, () =>
        resolve(socket),
      );
      socket.once('error', reject);
    });
  const nameAt = async (port: number): Promise<string> => {
    const socket = await greet(port);
    const { CN } = socket.getPeerCertificate().subject;
    socket.destroy();
    return String(CN);
  };

  it('takes bodies, by TLS 1.2 or later and HTTP/1.1 alone', async () => {
    await inTemporaryDirectory(async (folder) => {
      const tls = await makePair(folder, 'first');
      const receiver = await openReceiver({ settings: { tls } });
      try {
        assert.match(receiver.url, /^https:/);
        const ca = await readFile(tls.certificate);
        assert.equal((await receiver.send({ body: '{}', tls: { ca } })).status, 200);
        assert.equal(
          (await receiver.send({ body: '{}', tls: { ca, maxVersion: 'TLSv1.2' } as object })).status,
          200,
        );
        await assert.rejects(greet(receiver.port, { maxVersion: 'TLSv1.1', minVersion: 'TLSv1' }));
        const socket = await greet(receiver.port, { ALPNProtocols: ['h2', 'http/1.1'] });
        assert.equal(socket.alpnProtocol, 'http/1.1');
        socket.destroy();
        await assert.rejects(greet(receiver.port, { ALPNProtocols: ['h2'] }), /no application protocol/);
        await assert.rejects(send(receiver.url.replace('https', 'http'), { path: '/health' }));
        assert.equal((await receiver.rows()).length, 2);
      } finally {
        await receiver.close();
      }
    });
  });

  it('changes its certificate when the files do, however they do, and keeps the old one for a bad pair', async () => {
    await inTemporaryDirectory(async (folder) => {
      const [first, second, third] = await Promise.all(
        ['first', 'second', 'third'].map((name) => makePair(join(folder, name), name)),
      );
      const tls = { certificate: join(folder, 'live/cert.pem'), key: join(folder, 'live/key.pem') };
      await symlink('first', join(folder, 'live'));
      const receiver = await openReceiver({ settings: { tls }, times: { certificate: 20 } });
      try {
        assert.equal(await nameAt(receiver.port), 'first');
        const kept = await greet(receiver.port);

        await symlink('second', join(folder, 'next'));
        await rename(join(folder, 'next'), join(folder, 'live'));
        await eventually(async () => (await nameAt(receiver.port)) === 'second');

        const complaints = (): unknown[] =>
          receiver.log.filter(({ level }) => level === 40).map(({ reason }) => reason);
        await copyFile(third!.certificate, second!.certificate);
        await eventually(() => complaints().length === 1);
        assert.match(String(complaints()[0]), /cannot be used together .* receiver\.tls/);
        assert.equal(await nameAt(receiver.port), 'second');
        await copyFile(third!.key, second!.key);
        await eventually(async () => (await nameAt(receiver.port)) === 'third');

        await rm(second!.key);
        await eventually(() => complaints().length === 2);
        await writeFile(second!.key, await readFile(first!.key));
        await eventually(() => complaints().length === 3);
        assert.equal(await nameAt(receiver.port), 'third');
        assert.doesNotMatch(JSON.stringify(receiver.log), /PRIVATE KEY/);
        // Who is connected already stays so.
        kept.write('GET /health HTTP/1.1\r\nhost: a\r\n\r\n');
        await new Promise((resolve) => kept.once('data', resolve));
        kept.destroy();
      } finally {
        await receiver.close();
      }
    });
  });

  it('does not start with files that are not there or do not fit', async () => {
    await inTemporaryDirectory(async (folder) => {
      const [one, other] = await Promise.all(
        ['one', 'other'].map((name) => makePair(join(folder, name), name)),
      );
      const start = (tls: object): Promise<unknown> => {
        const { source, settings } = sendingSource('untaken', { tls });
        return startReceiver({
          ...{
            settings,
            sources: [source],
            postgresUrl: 'postgres://127.0.0.1:1/a',
            log: pino({ enabled: false }),
          },
          nudge: () => Promise.resolve(),
        });
      };
      await assert.rejects(
        start({ certificate: join(folder, 'none.pem'), key: one!.key }),
        /receiver\.tls\.certificate cannot be read \(ENOENT.*none\.pem/,
      );
      await assert.rejects(
        start({ certificate: one!.certificate, key: other!.key }),
        /cannot be used together/,
      );
      await assert.rejects(start({ certificate: one!.key, key: one!.key }), /cannot be used together/);
    });
  });
});
