import { hideSecrets, type Secret } from '../config/secret.js';

/** The vendor's words for a sentence: short, without secrets, and without what follows a question mark in an address. */
export function quote(words: string, secrets: readonly Secret[]): string {
  const given = secrets.reduce((text, secret) => text.replaceAll(secret.reveal(), '[secret]'), words);
  const plain = hideSecrets(given)
    .replaceAll(/(https?:\/\/[^\s?]*)\?\S*/g, '$1?…')
    .replaceAll(/\s+/g, ' ')
    .trim();
  const short = plain.length > 300 ? `${plain.slice(0, 300)}…` : plain;
  return `"${short.replace(/\.$/, '')}"`;
}
