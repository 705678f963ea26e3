import type { Socket } from 'node:net';
import type { SftpRequest } from '../../sandbox/sftp-folder.js';
import {
  startSftpServer,
  type SftpLogin,
  type SftpServer,
  type SftpServerOptions,
} from '../../sandbox/sftp-server.js';

/** What a client does, in its order. */
export type Step =
  /** It connects; nothing was said yet. */
  | { readonly kind: 'connect' }
  /** It sent something for the first, second or third time: the exchange of keys. */
  | { readonly kind: 'keys'; readonly time: number }
  | ({ readonly kind: 'login' } & SftpLogin)
  | { readonly kind: 'session' }
  | SftpRequest;

export type StepMatcher = (step: Step) => boolean;

/** What goes wrong at a step. */
export type Fault =
  /** The connection is cut before an answer. */
  | { readonly kind: 'cut' }
  /** There is no answer, while the connection stays. */
  | { readonly kind: 'stall' }
  /** The answer is this status of the protocol, or for logins and sessions a refusal. */
  | { readonly kind: 'refuse'; readonly status?: number }
  /** Something happens first. */
  | { readonly kind: 'before'; readonly act: (socket: Socket) => unknown };

export interface FaultySftp extends SftpServer {
  /** The next `times` steps that match suffer the fault. Earlier rules win. */
  readonly fail: (matches: StepMatcher, fault: Fault, times?: number) => void;
  readonly heal: () => void;
  readonly steps: readonly Step[];
  readonly count: (matches: StepMatcher) => number;
  /** Connections now, and the most there were at once. */
  readonly connections: () => { readonly now: number; readonly most: number };
  /** Cuts all connections. */
  readonly cutAll: () => void;
}

export const cut: Fault = { kind: 'cut' };
export const stall: Fault = { kind: 'stall' };

/** The sandbox's SFTP server, which notes what clients do and fails as it is told. */
export async function faultySftp(options: Omit<SftpServerOptions, 'hooks'>): Promise<FaultySftp> {
  const rules: { readonly matches: StepMatcher; readonly fault: Fault; left: number }[] = [];
  const steps: Step[] = [];
  const sockets = new Set<Socket>();
  let most = 0;

  const meet = (step: Step): Fault | undefined => {
    steps.push(step);
    const rule = rules.find(({ matches, left }) => left > 0 && matches(step));
    if (rule !== undefined) rule.left -= 1;
    return rule?.fault;
  };
  /** The status to answer with, if any; for ever where there is no answer. */
  const suffer = async (fault: Fault | undefined, socket: Socket): Promise<number | undefined> => {
    if (fault === undefined) return undefined;
    if (fault.kind === 'cut') socket.destroy();
    if (fault.kind === 'cut' || fault.kind === 'stall') return new Promise(() => undefined);
    if (fault.kind === 'before') {
      await fault.act(socket);
      return undefined;
    }
    return fault.status ?? 4;
  };

  const server = await startSftpServer({
    ...options,
    hooks: {
      connected: (socket) => {
        sockets.add(socket);
        most = Math.max(most, sockets.size);
        socket.once('close', () => sockets.delete(socket));
        const fault = meet({ kind: 'connect' });
        if (fault?.kind === 'cut') socket.destroy();
        let time = 0;
        const sent = (): void => {
          if (time === 3) return;
          time += 1;
          if (meet({ kind: 'keys', time })?.kind === 'cut') socket.destroy();
        };
        // Not before ssh2 listens: what nobody hears is lost.
        const listen = (event: string | symbol): void => {
          if (event !== 'data') return;
          socket.off('newListener', listen);
          socket.on('data', sent);
        };
        socket.on('newListener', listen);
        return fault?.kind === 'stall' ? 'ignore' : undefined;
      },
      login: async (login, socket) =>
        (await suffer(meet({ kind: 'login', ...login }), socket)) === undefined ? undefined : 'refuse',
      session: (socket) => {
        const fault = meet({ kind: 'session' });
        if (fault?.kind === 'cut') socket.destroy();
        return fault?.kind === 'refuse' ? 'refuse' : undefined;
      },
      request: (request, socket) => suffer(meet(request), socket),
    },
  });

  return {
    ...server,
    fail: (matches, fault, times = 1) => void rules.push({ matches, fault, left: times }),
    heal: () => void rules.splice(0),
    steps,
    count: (matches) => steps.filter(matches).length,
    connections: () => ({ now: sockets.size, most }),
    cutAll: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
}
