/** What a server has to agree with us about before anything else is said. */

import type { Socket } from 'node:net';

import ssh2, { type Algorithms } from 'ssh2';

import { sftpAlgorithms, type SftpAlgorithms } from '../config/sftp-algorithms.js';

export type { SftpAlgorithms };

/** ssh2's own, which are those of today, and behind them what a store allows. */
export function algorithmsOf(allowed: SftpAlgorithms | undefined): Algorithms {
  const appended = (names: readonly string[] | undefined): object =>
    names === undefined ? {} : { append: [...names], prepend: [], remove: [] };
  const { kex, cipher, hmac } = allowed ?? {};
  return { kex: appended(kex), cipher: appended(cipher), hmac: appended(hmac) } as Algorithms;
}

/** ssh2's words for what was not agreed about, the setting that it belongs to, and how ssh2 speaks of the server's list. */
const kinds = [
  { fault: /key exchange algorithm/, setting: 'kex', called: 'key exchange', offers: 'KEX method' },
  { fault: /(?:C->S|S->C) cipher/, setting: 'cipher', called: 'cipher', offers: 'C->S cipher' },
  { fault: /(?:C->S|S->C) MAC/, setting: 'hmac', called: 'MAC', offers: 'C->S MAC' },
] as const;

/** What a server and Landfall have not in common, as a sentence; undefined for any other fault. */
export async function disagreement(
  fault: Error,
  connect: () => Socket,
  algorithms: Algorithms,
): Promise<string | undefined> {
  if (!fault.message.includes('no matching')) return undefined;
  const kind = kinds.find((one) => one.fault.test(fault.message));
  if (kind === undefined) return undefined;
  const offered = await listOf(connect(), kind.offers, algorithms);
  const known: readonly string[] = sftpAlgorithms[kind.setting];
  const possible = offered.filter((name) => known.includes(name));
  const offers = offered.length === 0 ? '' : `: the server offers ${offered.join(', ')}`;
  const setting = `store.algorithms.${kind.setting}`;
  const advice =
    possible.length > 0
      ? `Ask the vendor for a newer one. If there is none, set ${setting} of the source to ['${possible[0]}'], which is ` +
        `weaker than what Landfall takes by itself`
      : 'Landfall knows none of them: ask the vendor for one that is in use today';
  return `have no ${kind.called} in common${offers}. ${advice}`;
}

/** Asked for again: only with ssh2's log, which makes every transfer slow, does it tell what the server offers. */
function listOf(socket: Socket, called: string, algorithms: Algorithms): Promise<readonly string[]> {
  const start = `Handshake: (remote) ${called}: `;
  return new Promise((resolve) => {
    let found: readonly string[] = [];
    const client = new ssh2.Client();
    const end = (): void => {
      socket.destroy();
      resolve(found);
    };
    client.on('error', end);
    client.on('close', end);
    client.connect({
      sock: socket,
      username: 'none',
      algorithms,
      readyTimeout: 10_000,
      hostVerifier: () => false,
      debug: (line) => {
        if (line.startsWith(start)) found = line.slice(start.length).split(',').filter(isName);
      },
    });
  });
}

/** Names are printed: none of a server's that is no name. */
function isName(text: string): boolean {
  return /^[\w.@+-]{1,64}$/.test(text);
}
