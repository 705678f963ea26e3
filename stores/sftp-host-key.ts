import type { ServerHostKeyAlgorithm } from 'ssh2';

import { fingerprintOf, type HostKey } from '../config/host-key.js';

/** Kinds of host keys, in the order of preference, by the algorithms that sign with them. */
const kinds: readonly (readonly ServerHostKeyAlgorithm[])[] = [
  ['ssh-ed25519'],
  ['ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521'],
  ['rsa-sha2-512', 'rsa-sha2-256', 'ssh-rsa'],
];

/** What a server has to show to be the one that is meant, and what it has shown so far. */
export interface HostKeyCheck {
  /** What it is asked for. */
  readonly algorithms: () => ServerHostKeyAlgorithm[];
  readonly isRight: (key: Buffer) => boolean;
  /** The keys that were not the right one, as people compare them: `SHA256:… (ssh-ed25519)`. */
  readonly wrong: () => readonly string[];
  /** Whether there are kinds of keys that it was not asked for yet. */
  readonly hasOthers: () => boolean;
}

/**
 * A server has one key of each kind and shows the one that the client likes best, while people configure any of them:
 * `ssh-keyscan` lists all three. So a server that shows another one is asked for those of the other kinds, too, before it
 * is refused. Nothing is weaker by it: only the configured key is ever taken.
 */
export function checkHostKey(expected: HostKey): HostKeyCheck {
  const wrong = new Map<string, string>();
  let left = kinds.filter((kind) => expected.algorithm === undefined || isOf(expected.algorithm, kind));
  return {
    algorithms: () => left.flat(),
    isRight: (key) => {
      const fingerprint = fingerprintOf(key);
      if (fingerprint === expected.fingerprint) return true;
      const algorithm = algorithmOf(key);
      wrong.set(fingerprint, `${fingerprint} (${algorithm})`);
      left = left.filter((kind) => !isOf(algorithm, kind));
      return false;
    },
    wrong: () => [...wrong.values()],
    hasOthers: () => left.length > 0,
  };
}

/** The name by which a key begins, in the form that travels. */
export function algorithmOf(key: Buffer): string {
  return key.toString('latin1', 4, 4 + key.readUInt32BE(0));
}

function isOf(algorithm: string, kind: readonly string[]): boolean {
  return kind.includes(algorithm);
}
