/**
 * PuTTY's private keys, as OpenSSH writes them. ssh2 reads PuTTY's version 2 of RSA alone, while PuTTY writes version 3
 * since 0.75 (2021): https://the.earth.li/~sgtatham/putty/0.83/htmldoc/AppendixC.html
 */

import { createDecipheriv, createHash, createHmac, timingSafeEqual } from 'node:crypto';

export function isPuttyKey(text: string): boolean {
  return text.trimStart().startsWith('PuTTY-User-Key-File-');
}

interface PuttyKey {
  readonly version: number;
  readonly algorithm: string;
  readonly encryption: string;
  readonly comment: string;
  readonly publicPart: Buffer;
  readonly privatePart: Buffer;
  readonly mac: Buffer;
}

/** Throws an error that tells what is wrong with the key, and nothing of what it holds. */
export function openSshKey(text: string, passphrase?: string): string {
  const key = parse(text);
  const locked = key.encryption !== 'none';
  if (locked && key.version > 2) {
    throw new Error(
      "it is PuTTY's version 3 with a passphrase, which Landfall cannot open: convert it with " +
        "'puttygen key.ppk -O private-openssh-new -o key' and give what that writes",
    );
  }
  if (locked && passphrase === undefined)
    throw new Error('it has a passphrase, and store.passphrase is not set');
  const plain = locked ? decrypted(key.privatePart, passphrase ?? '') : key.privatePart;
  if (!timingSafeEqual(macOf(key, plain, locked ? (passphrase ?? '') : ''), key.mac)) {
    throw new Error(locked ? 'the passphrase is another one' : 'it is damaged: its MAC is another one');
  }
  return armored(key, plain);
}

function parse(text: string): PuttyKey {
  const lines = text.trim().split(/\r?\n|\r/);
  const fields = new Map<string, string>();
  for (let at = 0; at < lines.length; at += 1) {
    const [, name = '', value = ''] = /^([\w-]+): ?(.*)$/.exec(lines[at] ?? '') ?? [];
    const count = name.endsWith('-Lines') ? Number(value) : 0;
    fields.set(name, count > 0 ? lines.slice(at + 1, at + 1 + count).join('') : value);
    at += count;
  }
  const head = [...fields.keys()].find((name) => name.startsWith('PuTTY-User-Key-File-')) ?? '';
  const version = Number(head.slice(-1));
  if (version !== 2 && version !== 3)
    throw new Error("it is of a version of PuTTY's that Landfall does not know");
  const mac = Buffer.from(fields.get('Private-MAC') ?? '', 'hex');
  if (mac.length !== (version === 2 ? 20 : 32)) throw new Error('it is not whole');
  return {
    version,
    algorithm: fields.get(head) ?? '',
    encryption: fields.get('Encryption') ?? '',
    comment: fields.get('Comment') ?? '',
    publicPart: Buffer.from(fields.get('Public-Lines') ?? '', 'base64'),
    privatePart: Buffer.from(fields.get('Private-Lines') ?? '', 'base64'),
    mac,
  };
}

/** Of version 2 alone: the key is made of two hashes, and the first block's vector is zero. */
function decrypted(bytes: Buffer, passphrase: string): Buffer {
  const half = (number: number): Buffer =>
    createHash('sha1')
      .update(Buffer.from([0, 0, 0, number]))
      .update(passphrase)
      .digest();
  const key = Buffer.concat([half(0), half(1)]).subarray(0, 32);
  const decipher = createDecipheriv('aes-256-cbc', key, Buffer.alloc(16)).setAutoPadding(false);
  return Buffer.concat([decipher.update(bytes), decipher.final()]);
}

function macOf(key: PuttyKey, plain: Buffer, passphrase: string): Buffer {
  const signed = [key.algorithm, key.encryption, key.comment, key.publicPart, plain].map(lengthed);
  if (key.version > 2) return createHmac('sha256', '').update(Buffer.concat(signed)).digest();
  const secret = createHash('sha1').update('putty-private-key-file-mac-key').update(passphrase).digest();
  return createHmac('sha1', secret).update(Buffer.concat(signed)).digest();
}

/** https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.key, without encryption. */
function armored({ algorithm, comment, publicPart }: PuttyKey, plain: Buffer): string {
  const check = Buffer.from('landfall').subarray(0, 4);
  const own = Buffer.concat([
    check,
    check,
    ...partsOf(algorithm, publicPart, plain).map(lengthed),
    lengthed(comment),
  ]);
  const padding = Buffer.from(Array.from({ length: (8 - (own.length % 8)) % 8 }, (_, byte) => byte + 1));
  const count = Buffer.from([0, 0, 0, 1]);
  const bytes = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    ...['none', 'none', ''].map(lengthed),
    count,
    lengthed(publicPart),
    lengthed(Buffer.concat([own, padding])),
  ]);
  const lines = bytes.toString('base64').replaceAll(/.{1,70}/g, '$&\n');
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines}-----END OPENSSH PRIVATE KEY-----\n`;
}

/** The numbers of a private key in OpenSSH's order, the algorithm's name first. */
function partsOf(algorithm: string, publicPart: Buffer, plain: Buffer): readonly (Buffer | string)[] {
  const [, ...open] = textsIn(publicPart);
  const own = textsIn(plain);
  const part = (parts: readonly Buffer[], at: number): Buffer => {
    const found = parts[at];
    if (found === undefined) throw new Error('it is not whole');
    return found;
  };
  if (algorithm === 'ssh-rsa') {
    const [exponent, modulus] = [part(open, 0), part(open, 1)];
    const [d, p, q, inverse] = [part(own, 0), part(own, 1), part(own, 2), part(own, 3)];
    return [algorithm, modulus, exponent, d, inverse, p, q];
  }
  if (algorithm.startsWith('ecdsa-sha2-')) return [algorithm, part(open, 0), part(open, 1), part(own, 0)];
  if (algorithm === 'ssh-ed25519') {
    return [algorithm, part(open, 0), Buffer.concat([part(own, 0), part(open, 0)])];
  }
  throw new Error(`it is a key of a kind that Landfall does not know (${algorithm})`);
}

/** Texts with their lengths before them, as far as they are whole: an encrypted part is padded at its end. */
function textsIn(bytes: Buffer): Buffer[] {
  const texts: Buffer[] = [];
  for (let at = 0; at + 4 <= bytes.length;) {
    const end = at + 4 + bytes.readUInt32BE(at);
    if (end > bytes.length) break;
    texts.push(bytes.subarray(at + 4, end));
    at = end;
  }
  return texts;
}

function lengthed(value: Buffer | string): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
