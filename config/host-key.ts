/** The public key by which an SSH server is known, as people come by it. */

import { createHash } from 'node:crypto';

import { z } from 'zod';

export interface HostKey {
  /** As ssh-keygen shows it: `SHA256:` and 43 letters of base64. */
  readonly fingerprint: string;
  /** `ssh-ed25519`, `ssh-rsa`, …: known only where the whole key was given. */
  readonly algorithm?: string;
}

/**
 * Reads a fingerprint, a line of `ssh-keygen -lf` (`256 SHA256:… host (ED25519)`), a public key (`ssh-ed25519 AAAA…`)
 * or a line of `ssh-keyscan` or known_hosts (`host ssh-ed25519 AAAA…`). Undefined for anything else.
 */
export function readHostKey(text: string): HostKey | undefined {
  const words = text.trim().split(/\s+/);
  const fingerprints = words.filter((word) => /^SHA256:[A-Za-z0-9+/]{43}=?$/.test(word));
  if (fingerprints[0] !== undefined) {
    return fingerprints.length === 1 ? { fingerprint: fingerprints[0].slice(0, 50) } : undefined;
  }
  for (const [at, algorithm] of words.entries()) {
    const key = Buffer.from(words[at + 1] ?? '', 'base64');
    // A key begins with its own name; before it a host may stand, and after it anything.
    if (at < 2 && isKey(key, algorithm)) return { fingerprint: fingerprintOf(key), algorithm };
  }
  return undefined;
}

/** Whether these are the texts, each with its length before it, that a key of this name consists of, to the last byte. */
function isKey(key: Buffer, algorithm: string): boolean {
  let [at, parts] = [0, 0];
  for (; at + 4 <= key.length; parts += 1) {
    const length = key.readUInt32BE(at);
    if (parts === 0 && key.toString('latin1', 4, 4 + length) !== algorithm) return false;
    at += 4 + length;
  }
  return parts > 1 && at === key.length;
}

/** Of a public key in the form that travels. */
export function fingerprintOf(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=$/, '')}`;
}

export function hostKey() {
  const rule =
    "must be the fingerprint of the server's host key, 'SHA256:' and 43 letters as `ssh-keygen -lf` shows it, or the " +
    "whole public key, 'ssh-ed25519 AAAA…'";
  return z
    .string({ error: rule })
    .meta({ examples: ['SHA256:veG4xmzzmBHidwW7vCOGMT+D+B84GZ+0YedBxnaBzeY'] })
    .transform((value, context): HostKey => {
      const read = readHostKey(value);
      if (read !== undefined) return read;
      context.addIssue({ code: 'custom', message: rule });
      return z.NEVER;
    });
}
