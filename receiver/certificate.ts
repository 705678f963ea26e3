/** The certificate and key of HTTPS, which are read again when they change. */

import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';

import { reasonOf } from './reason.js';

export interface TlsFiles {
  readonly certificate: string;
  readonly key: string;
}

/** PEM. */
export interface KeyPair {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** Throws a sentence that names the file when they cannot be read or do not belong together. */
export async function readPair({ certificate, key }: TlsFiles): Promise<KeyPair> {
  const pair = {
    cert: await readPem(certificate, 'certificate'),
    key: await readPem(key, 'key'),
  };
  try {
    createSecureContext(pair);
  } catch (error) {
    throw new Error(
      `The certificate ${certificate} and the key ${key} cannot be used together (${reasonOf(error).reason}). Check ` +
        `receiver.tls: both in PEM, the key without a passphrase and the certificate made for it.`,
      { cause: error },
    );
  }
  return pair;
}

async function readPem(path: string, what: 'certificate' | 'key'): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new Error(`receiver.tls.${what} cannot be read (${reasonOf(error).reason}).`, { cause: error });
  }
}

export interface WatchPair {
  readonly files: TlsFiles;
  readonly pair: KeyPair;
  /** Milliseconds between looks. */
  readonly every: number;
  readonly changed: (pair: KeyPair) => void;
  /** A new pair cannot be used; told once for each. */
  readonly failed: (error: Error) => void;
}

/**
 * Looks at both files again and again, by what they hold: so it does not matter whether they are written, replaced or
 * links to them are, nor what times they bear. Files that change one after the other are taken once they fit.
 */
export function watchPair({ files, pair, every, changed, failed }: WatchPair): { close(): void } {
  let current = pair;
  let complaint = '';
  let looking = false;
  const look = async (): Promise<void> => {
    if (looking) return;
    looking = true;
    try {
      const found = await readPair(files);
      complaint = '';
      if (found.cert.equals(current.cert) && found.key.equals(current.key)) return;
      current = found;
      changed(found);
    } catch (error) {
      const wrong = error as Error;
      if (wrong.message !== complaint) failed(wrong);
      complaint = wrong.message;
    } finally {
      looking = false;
    }
  };
  const timer = setInterval(() => void look(), every);
  timer.unref();
  return { close: () => clearInterval(timer) };
}
