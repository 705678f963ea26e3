/**
 * Our reading from OpenSSH's sshd on this machine, beside OpenSSH's own sftp and what ssh2 has for it.
 *
 *   npx tsx bench/sftp.ts [--files 2000] [--megabytes 200] [--away 0]
 *
 * `--away 20` puts the server 20 ms away, each way; for that a few megabytes and files are enough.
 */

import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createWriteStream } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';

import SftpClient from 'ssh2-sftp-client';

import { readHostKey } from '../config/host-key.js';
import { run } from '../sandbox/commands.js';
import { silently } from '../sandbox/progress.js';
import { sshd, startSshd } from '../sandbox/sshd.js';
import { openSftp } from '../stores/sftp.js';
import type { Store, StoredFile } from '../stores/store.js';

const { values } = parseArgs({
  options: {
    files: { type: 'string', default: '2000' },
    megabytes: { type: 'string', default: '200' },
    away: { type: 'string', default: '0' },
  },
});
const [count, megabytes, away] = [values.files, values.megabytes, values.away].map(Number) as [
  number,
  number,
  number,
];
const times = 3;

/** Three times, since this machine has other things to do. */
async function measure(
  what: string,
  amount: number,
  unit: string,
  work: () => Promise<unknown>,
): Promise<void> {
  const rates: string[] = [];
  for (let time = 0; time < times; time += 1) {
    const began = performance.now();
    await work();
    rates.push(((amount * 1_000) / (performance.now() - began)).toFixed(amount < 100 ? 1 : 0));
  }
  console.log(`${what.padEnd(52)} ${rates.join(', ')} ${unit}`);
}

/** Passes everything on, later. */
async function farAway(port: number): Promise<number> {
  const pass = (from: Socket, to: Socket): void => {
    from.on('data', (bytes: Buffer) => setTimeout(() => to.write(bytes), away));
    from.on('close', () => setTimeout(() => to.destroy(), away)).on('error', () => to.destroy());
  };
  const proxy = createServer({ noDelay: true }, (client) => {
    const server = connect({ port, host: '127.0.0.1', noDelay: true });
    pass(client, server);
    pass(server, client);
  }).unref();
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  return (proxy.address() as AddressInfo).port;
}

async function filesOf(store: Store, folder: string): Promise<StoredFile[]> {
  const files: StoredFile[] = [];
  for await (const page of store.list(folder)) files.push(...page.files);
  return files;
}

const binary = await sshd(silently);
if (binary === undefined) throw new Error("There is no sshd: install OpenSSH's server, or set SSHD_PATH.");
const directory = await mkdtemp(join(tmpdir(), 'landfall-bench-sftp-'));
await chmod(directory, 0o755);
const server = await startSshd({ binary, directory });
try {
  for (const folder of ['small', 'big']) await mkdir(join(server.files, folder));
  for (let i = 0; i < count; i += 1)
    await writeFile(join(server.files, 'small', String(i)), randomBytes(20_000));
  await writeFile(join(server.files, 'big', 'one'), randomBytes(megabytes * 1_000_000));
  const port = away > 0 ? await farAway(server.port) : server.port;
  const { host, username, userKey: privateKey } = server;
  const hostKey = readHostKey(server.hostKeys.ed25519);
  if (hostKey === undefined) throw new Error('The server has no host key.');
  const open = (connections: number): Store =>
    openSftp({ host, port, username, login: { privateKey }, hostKey, root: '', connections });
  const got = join(directory, 'got');

  const store = open(1);
  const [big] = await filesOf(store, 'big/');
  if (big === undefined) throw new Error('The file is not listed.');
  await measure(`one file of ${megabytes} MB`, megabytes, 'MB/s', () => store.fetch(big, got));
  await store.close();

  const keyFile = join(directory, 'key-of-ours');
  await writeFile(keyFile, privateKey, { mode: 0o600 });
  const options = ['StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'BatchMode=yes'];
  const args = [...options.flatMap((option) => ['-o', option]), '-P', String(port), '-i', keyFile];
  await measure("  the same by OpenSSH's sftp", megabytes, 'MB/s', () =>
    run('sftp', [...args, `${username}@${host}:big/one`, got]),
  );
  const client = new SftpClient();
  await client.connect({ host, port, username, privateKey });
  await measure("  the same by ssh2's fastGet", megabytes, 'MB/s', () => client.fastGet('big/one', got));
  await measure("  the same by ssh2's createReadStream", megabytes, 'MB/s', () =>
    pipeline(client.createReadStream('big/one'), createWriteStream(got)),
  );
  await client.end();

  for (const [connections, steps] of [
    [1, 1],
    [1, 4],
    [4, 4],
    [4, 8],
  ] as const) {
    const many = open(connections);
    const files = await filesOf(many, 'small/');
    await measure(
      `${count} files of 20 kB, ${steps} at once, connections: ${connections}`,
      count,
      'files/s',
      async () => {
        const queue = [...files];
        const work = async (_: unknown, at: number): Promise<void> => {
          for (let file = queue.pop(); file !== undefined; file = queue.pop())
            await many.fetch(file, `${got}-${at}`);
        };
        await Promise.all(Array.from({ length: steps }, work));
      },
    );
    await many.close();
  }
} finally {
  await server.stop();
  await rm(directory, { recursive: true, force: true });
}
