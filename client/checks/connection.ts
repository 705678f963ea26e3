/** What to do about a connection that does not come about, whatever it is to. */

import { handshakeAdvice } from '../../stores/handshake.js';

/** Of Postgres, by the words of its errors and Node's. `url` is looked at, and nothing of it is shown. */
export function postgresAdvice(error: unknown, url: string | undefined): string {
  const { message = '', code = '' } = (error ?? {}) as { readonly message?: string; readonly code?: string };
  const handshake = handshakeAdvice(error, 'postgres.url');
  if (/does not support SSL/i.test(message)) {
    return (
      "The server has no TLS, and postgres.url asks for it: leave 'sslmode' out, or write 'sslmode=disable', if nobody " +
      'can read along on the way there; else turn TLS on at the server.'
    );
  }
  if (/no encryption|SSL off|hostssl/i.test(message)) {
    return "The server wants TLS: add 'sslmode=require' to postgres.url ('?sslmode=require' at its end).";
  }
  if (handshake !== undefined) {
    const asks = /sslmode=(?:require|prefer|verify-ca)/.test(url ?? '');
    return asks
      ? `${handshake} Node checks the certificate with 'sslmode=require' too, where psql does not: ` +
          "'sslmode=no-verify' encrypts without checking who answers."
      : handshake;
  }
  const unencoded =
    "A user or password with '@', ':', '/', '?', '#', '%' or a space has to be encoded in postgres.url ('p%40ss' for " +
    "'p@ss'): node -p 'encodeURIComponent(process.argv[1])' writes it.";
  if (!canParse(url) || /ERR_INVALID_URL|URI malformed|Invalid URL/i.test(`${code} ${message}`))
    return unencoded;
  if (code.startsWith('28') || /ENOTFOUND|EAI_AGAIN/.test(code)) {
    return `Check user, password and host in postgres.url. ${unencoded}`;
  }
  return 'Mend that, then check again; the rest of Postgres was not looked at.';
}

function canParse(url: string | undefined): boolean {
  if (url === undefined || !/^postgres(?:ql)?:\/\//.test(url)) return true;
  // A second '@' is a sign of one that belongs to the password.
  const authority = url.slice(url.indexOf('//') + 2).split(/[/?#]/)[0] ?? '';
  if (/%(?![\dA-Fa-f]{2})/.test(authority)) return false;
  return URL.canParse(url) && (authority.match(/@/g) ?? []).length <= 1;
}

/** Of Temporal. */
export function temporalAdvice(error: unknown): string {
  const handshake = handshakeAdvice(error, "Temporal's address and TLS settings");
  return handshake ?? 'Mend that, then check again; the rest of Temporal was not looked at.';
}
