import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { findOnPath, run } from '../../sandbox/commands.js';
import { newHostKey, startSftpServer, type SftpServer } from '../../sandbox/sftp-server.js';
import { inTemporaryDirectory } from '../support/isolated.js';
import { skip } from '../support/skip.js';

describe("the sandbox's SFTP server", function () {
  this.timeout(30_000);

  it("serves OpenSSH's own client, which may list, get and delete, and nothing else", async function () {
    if ((await findOnPath('sftp')) === undefined) {
      return skip(this, "there is no sftp, OpenSSH's client.");
    }
    await inTemporaryDirectory(async (directory) => {
      const served = join(directory, 'served');
      await mkdir(join(served, 'a folder'), { recursive: true });
      await writeFile(join(served, 'a folder', 'one'), 'body of one');
      await writeFile(join(served, 'a folder', 'two'), 'body of two');
      await writeFile(join(directory, 'outside'), 'secret');
      const key = join(directory, 'key');
      assert.ok((await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key])).ok);
      const publicKey = await readFile(`${key}.pub`, 'utf8');
      const server = await startSftpServer({
        directory: served,
        users: [{ username: 'landfall', publicKey }],
      });
      try {
        const batch = join(directory, 'batch');
        await writeFile(join(directory, 'known'), `[127.0.0.1]:${server.port} ${server.hostKey}\n`);
        await writeFile(
          batch,
          [
            'ls -l "a folder"',
            `get "a folder/one" ${join(directory, 'got')}`,
            'rm "a folder/two"',
            `-get ../../outside ${join(directory, 'stolen')}`,
            `-put ${join(directory, 'outside')} "a folder/three"`,
            '-mkdir "another folder"',
          ].join('\n'),
        );
        const options = [
          'StrictHostKeyChecking=yes',
          `UserKnownHostsFile=${join(directory, 'known')}`,
          'BatchMode=yes',
        ];
        const args = options.flatMap((option) => ['-o', option]);
        const done = await run('sftp', [
          ...args,
          '-P',
          String(server.port),
          '-i',
          key,
          '-b',
          batch,
          'landfall@127.0.0.1',
        ]);
        assert.ok(done.ok, done.failure);
        assert.match(done.output, / 11 .* one$/m);
        assert.equal(await readFile(join(directory, 'got'), 'utf8'), 'body of one');
        assert.deepEqual((await readdir(directory)).sort(), [
          'batch',
          'got',
          'key',
          'key.pub',
          'known',
          'outside',
          'served',
        ]);
        assert.deepEqual(await readdir(join(served, 'a folder')), ['one']);
        assert.deepEqual(await readdir(served), ['a folder']);
      } finally {
        await server.stop();
      }
    });
  });

  it('is known by the key that it was given', async () => {
    const hostKey = newHostKey();
    const users = [{ username: 'landfall', password: 'p' }];
    const start = (): Promise<SftpServer> => startSftpServer({ directory: '/', users, hostKey });
    const first = await start();
    await first.stop();
    const second = await start();
    await second.stop();
    assert.equal(first.hostKey, second.hostKey);
  });
});
