import { chmod, chown, mkdir, readFile, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { chosenProgram, findOnPath, isExecutable, run } from './commands.js';
import { installInCi } from './debian.js';
import { freePort, givePortBack } from './ports.js';
import type { Progress } from './progress.js';
import { untilListening, startServerProcess, type Account } from './server-process.js';

/**
 * OpenSSH's server: SSHD_PATH, else what is installed. In CI, as root on a Debian system, it is installed where it is
 * missing. Undefined where there is none; only tests use it.
 */
export async function sshd(progress: Progress): Promise<string | undefined> {
  const chosen = await chosenProgram('SSHD_PATH');
  if (chosen !== undefined) return chosen;
  const installed = await installedSshd();
  if (installed !== undefined) return installed;
  await installInCi('openssh-server', "Installing OpenSSH's server (some seconds, once)", progress);
  return installedSshd();
}

async function installedSshd(): Promise<string | undefined> {
  // Not on the PATH of a Debian user who is not root.
  for (const path of ['/usr/sbin/sshd', '/usr/local/sbin/sshd']) if (await isExecutable(path)) return path;
  return findOnPath('sshd');
}

export interface SshdOptions {
  /** The absolute path of the program, which calls itself. */
  readonly binary: string;
  /** Keys, configuration and log lie here, and what sessions see in `files`. Any account must reach it. */
  readonly directory: string;
  /** Lines for the configuration, which win over ours. */
  readonly settings?: readonly string[];
  /** Of 127.0.0.1. Without it a free one is found. */
  readonly port?: number;
}

export interface Sshd {
  readonly host: '127.0.0.1';
  readonly port: number;
  readonly pid: number;
  readonly username: string;
  /** Who sessions run as, where that is not our own account: what only we can read, they cannot. */
  readonly account: Account | undefined;
  /** Where sessions begin. */
  readonly files: string;
  /** Lines as `ssh-ed25519 AAAA… comment`. */
  readonly hostKeys: { readonly ed25519: string; readonly ecdsa: string; readonly rsa: string };
  /** A private key that is let in. */
  readonly userKey: string;
  readonly logFile: string;
  readonly stop: () => Promise<void>;
}

/**
 * Starts sshd on 127.0.0.1, for SFTP alone. It runs as an account that is not root, which is enough for sessions of that
 * same account, and leaves the system's users and settings as they are. What it cannot do then is check a password:
 * that needs the system's shadow file. It offers to, and refuses every one.
 */
export async function startSshd(options: SshdOptions): Promise<Sshd> {
  const { directory } = options;
  const { account, name: username } = await someAccount();
  const files = join(directory, 'files');
  await mkdir(files, { recursive: true });
  const kinds = ['ed25519', 'ecdsa', 'rsa'] as const;
  const [ed25519, ecdsa, rsa] = await Promise.all(
    kinds.map((kind) => newKey(join(directory, `host_${kind}`), kind, account)),
  );
  await newKey(join(directory, 'user'), 'ed25519', account);
  const port = options.port ?? (await freePort());
  const configFile = join(directory, 'sshd_config');
  await writeFile(
    configFile,
    [
      // The first line that sets something counts.
      ...(options.settings ?? []),
      'ListenAddress 127.0.0.1',
      `Port ${port}`,
      ...kinds.map((kind) => `HostKey ${join(directory, `host_${kind}`)}`),
      `AuthorizedKeysFile ${join(directory, 'user.pub')}`,
      'PidFile none',
      'UsePAM yes',
      // The temporary folder is writable by all.
      'StrictModes no',
      'Subsystem sftp internal-sftp',
      `ForceCommand internal-sftp -d ${files}`,
      'MaxStartups 100',
      'LogLevel VERBOSE',
      '',
    ].join('\n'),
  );
  const logFile = join(directory, 'sshd.log');
  const server = await startServerProcess({
    name: 'sshd',
    command: options.binary,
    args: ['-D', '-e', '-f', configFile],
    env: { PATH: process.env['PATH'] },
    account,
    logFile,
    stopSignal: 'SIGTERM',
  });
  await untilListening(server, 'sshd', port, logFile);
  return {
    host: '127.0.0.1',
    port,
    pid: server.pid,
    username,
    account,
    files,
    hostKeys: { ed25519: ed25519 ?? '', ecdsa: ecdsa ?? '', rsa: rsa ?? '' },
    userKey: await readFile(join(directory, 'user'), 'utf8'),
    logFile,
    stop: async () => {
      await server.stop('SIGTERM', 5_000);
      if (options.port === undefined) givePortBack(port);
    },
  };
}

/** As root, nobody: root may read everything, and sshd as root wants folders of the system's. */
async function someAccount(): Promise<{ account: Account | undefined; name: string }> {
  const { uid, username } = userInfo();
  if (uid !== 0) return { account: undefined, name: username };
  const [uidOfNobody, gidOfNobody] = await Promise.all([
    run('id', ['-u', 'nobody']),
    run('id', ['-g', 'nobody']),
  ]);
  if (!uidOfNobody.ok || !gidOfNobody.ok) throw new Error('There is no account "nobody" for sshd to run as.');
  return { account: { uid: Number(uidOfNobody.output), gid: Number(gidOfNobody.output) }, name: 'nobody' };
}

/** Makes a pair of keys that belongs to the account, unless an earlier start has, and gives the public one. */
async function newKey(path: string, kind: string, account: Account | undefined): Promise<string> {
  const known = await readFile(`${path}.pub`, 'utf8').catch(() => undefined);
  if (known !== undefined) return known.trim();
  const made = await run('ssh-keygen', ['-q', '-t', kind, '-N', '', '-C', 'landfall', '-f', path]);
  if (!made.ok) throw new Error(`A key for sshd could not be made: ${made.failure}`);
  await chmod(path, 0o600);
  if (account !== undefined) await chown(path, account.uid, account.gid);
  return (await readFile(`${path}.pub`, 'utf8')).trim();
}
