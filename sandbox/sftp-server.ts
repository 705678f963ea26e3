import { createServer, type AddressInfo, type Socket } from 'node:net';
import ssh2, { type AuthContext, type AuthenticationType, type Connection } from 'ssh2';
import { serveFolder, type SftpRequest } from './sftp-folder.js';

export interface SftpUser {
  readonly username: string;
  readonly password?: string;
  /** `ssh-ed25519 AAAA…`. */
  readonly publicKey?: string;
}

/** A try to log in. `none` asks what there is. */
export interface SftpLogin {
  readonly username: string;
  readonly method: AuthenticationType;
}

/** For whoever wants to see what happens, or make something else happen. A socket that is destroyed is a connection cut. */
export interface SftpHooks {
  /** Before anything is said; `ignore` leaves the client without a word. */
  readonly connected?: (socket: Socket) => 'ignore' | undefined;
  /** Before it is answered; `refuse` refuses it, whatever the password. */
  readonly login?: (login: SftpLogin, socket: Socket) => Promise<'refuse' | undefined> | 'refuse' | undefined;
  /** Before a session is opened. */
  readonly session?: (socket: Socket) => 'refuse' | undefined;
  /** Before it is answered: see `RequestHook`. */
  readonly request?: (
    request: SftpRequest,
    socket: Socket,
  ) => Promise<number | undefined> | number | undefined;
}

export interface SftpServerOptions {
  /** What the users see as the whole server. */
  readonly directory: string;
  readonly users: readonly SftpUser[];
  /** Of 127.0.0.1. Without it a free one is found. */
  readonly port?: number;
  /** The private key by which the server is known; without it a new one. `newHostKey` makes one to be kept. */
  readonly hostKey?: string;
  /** Bytes given by one answer at most, as some servers have it. Default: what was asked for. */
  readonly bytesAtOnce?: number;
  /** How a password is asked for; `publickey` takes none. Default: `password`. */
  readonly passwordBy?: 'password' | 'keyboard-interactive' | 'publickey';
  readonly hooks?: SftpHooks;
}

export interface SftpServer {
  readonly host: '127.0.0.1';
  readonly port: number;
  /** The public host key: `ssh-ed25519 AAAA…`. */
  readonly hostKey: string;
  /** Ends all connections, too. */
  readonly stop: () => Promise<void>;
}

/** A private host key. Of 256 that ssh2 1.17 makes one is no key: it drops zeros at the beginning of the public half. */
export function newHostKey(): string {
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync('ed25519');
    const key = ssh2.utils.parseKey(pair.private);
    if (!(key instanceof Error) && key.getPublicSSH().length === 51) return pair.private;
  }
}

/** Starts an SFTP server inside this process, over a folder that its users may read and delete from. */
export async function startSftpServer(options: SftpServerOptions): Promise<SftpServer> {
  const { hooks = {} } = options;
  const hostKey = options.hostKey ?? newHostKey();
  const sockets = new Map<number, Socket>();
  const ssh = new ssh2.Server({ hostKeys: [hostKey] }, (connection, { port }) => {
    const socket = sockets.get(port);
    if (socket !== undefined) serve(options, connection, socket);
  });
  // ssh2's own server does not give its sockets away.
  const server = createServer({ noDelay: true }, (socket) => {
    const port = socket.remotePort ?? 0;
    sockets.set(port, socket);
    socket.once('close', () => sockets.delete(port));
    socket.on('error', () => undefined);
    const told = hooks.connected?.(socket);
    if (told !== 'ignore' && !socket.destroyed) ssh.injectSocket(socket);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const key = ssh2.utils.parseKey(hostKey);
  if (key instanceof Error) throw key;
  return {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    hostKey: `${key.type} ${key.getPublicSSH().toString('base64')}`,
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets.values()) socket.destroy();
      await closed;
    },
  };
}

function serve(options: SftpServerOptions, connection: Connection, socket: Socket): void {
  const { hooks = {} } = options;
  connection.on('error', () => undefined);
  connection.on('authentication', (context) => {
    authenticate(options, context, socket).catch(() => context.reject());
  });
  connection.on('session', (accept, reject) => {
    if (hooks.session?.(socket) === 'refuse') {
      reject();
      return;
    }
    accept().on('sftp', (acceptSftp) => {
      const end = serveFolder(acceptSftp(), {
        directory: options.directory,
        bytesAtOnce: options.bytesAtOnce ?? Infinity,
        hook: (request) => hooks.request?.(request, socket),
      });
      if (socket.destroyed) end();
      else socket.once('close', end);
    });
  });
}

async function authenticate(options: SftpServerOptions, context: AuthContext, socket: Socket): Promise<void> {
  const { users, passwordBy = 'password' } = options;
  const user = users.find(({ username }) => username === context.username);
  const methods: AuthenticationType[] = [...new Set([passwordBy, 'publickey'] as const)];
  const told = await options.hooks?.login?.({ username: context.username, method: context.method }, socket);
  if (socket.destroyed) return;
  if (
    told !== 'refuse' &&
    user !== undefined &&
    methods.includes(context.method) &&
    (await isRight(user, context))
  ) {
    context.accept();
  } else {
    context.reject(methods);
  }
}

async function isRight(user: SftpUser, context: AuthContext): Promise<boolean> {
  if (context.method === 'password') return context.password === user.password;
  if (context.method === 'keyboard-interactive') {
    const answers = await new Promise<string[]>((resolve) => {
      context.prompt([{ prompt: 'Password: ', echo: false }], resolve);
    });
    return answers.length === 1 && answers[0] === user.password;
  }
  if (context.method !== 'publickey' || user.publicKey === undefined) return false;
  const key = ssh2.utils.parseKey(user.publicKey);
  if (key instanceof Error || !key.getPublicSSH().equals(context.key.data)) return false;
  // A client first asks whether a key would be taken, and then signs.
  if (context.signature === undefined) return true;
  return context.blob !== undefined && key.verify(context.blob, context.signature, context.hashAlgo);
}
