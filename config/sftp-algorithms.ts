import { z } from 'zod';

import { oneOf } from './scalars.js';
import { settings } from './settings.js';

/** Older algorithms, which are taken only where a store names them. Node's OpenSSL has no others that ssh2 has. */
export const sftpAlgorithms = {
  kex: ['diffie-hellman-group14-sha1', 'diffie-hellman-group-exchange-sha1', 'diffie-hellman-group1-sha1'],
  cipher: ['aes256-cbc', 'aes192-cbc', 'aes128-cbc', '3des-cbc'],
  hmac: ['hmac-sha1-96', 'hmac-md5', 'hmac-md5-96', 'hmac-sha2-256-96', 'hmac-sha2-512-96', 'hmac-ripemd160'],
} as const;

export function algorithms() {
  const list = <const T extends readonly [string, ...string[]]>(names: T) =>
    z
      .array(oneOf(names), { error: 'must be a list' })
      .min(1, { error: 'must name at least one algorithm' })
      .optional();
  return settings({
    kex: list(sftpAlgorithms.kex).describe('Exchanges of keys.'),
    cipher: list(sftpAlgorithms.cipher).describe('Ciphers.'),
    hmac: list(sftpAlgorithms.hmac).describe('Checksums of packets (MAC).'),
  });
}

export type SftpAlgorithms = z.output<ReturnType<typeof algorithms>>;
