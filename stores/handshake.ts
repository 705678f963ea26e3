/** What a failed TLS handshake means, whatever was to be said over it. */

const untrusted =
  /SELF_SIGNED_CERT|UNABLE_TO_(?:GET|VERIFY)|CERT_UNTRUSTED|self-signed certificate|unable to (?:get|verify)/i;
const named = /ERR_TLS_CERT_ALTNAME_INVALID|does not match certificate's altnames/i;
const dated = /CERT_HAS_EXPIRED|CERT_NOT_YET_VALID|certificate (?:has expired|is not yet valid)/i;
const plain = /wrong version number|packet length too long|ERR_SSL_(?:WRONG_VERSION|PACKET_LENGTH)/i;
const version =
  /unsupported protocol|no protocols available|tlsv1 alert|handshake failure|ERR_SSL_(?:UNSUPPORTED|TLSV1)/i;

/** What to do about it; undefined for an error that is none of a handshake. `where` is the setting that names the server. */
export function handshakeAdvice(error: unknown, where: string): string | undefined {
  const words = wordsOf(error);
  if (untrusted.test(words)) {
    return (
      "This machine does not trust whoever signed the server's certificate: set NODE_EXTRA_CA_CERTS to a file with that " +
      "authority's certificate, and restart."
    );
  }
  if (named.test(words))
    return `The server's certificate is for another name than ${where} gives: give the one it is for.`;
  if (dated.test(words))
    return "The server's certificate is not valid today: it has to be renewed, or a clock is wrong.";
  if (plain.test(words))
    return `The server does not speak TLS there: check the port, or http:// and https://, in ${where}.`;
  if (version.test(words)) {
    return `The server and Landfall have no version of TLS or no cipher in common (Node takes TLS 1.2 and later): see what ${where} leads to.`;
  }
  return undefined;
}

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  const { code } = error as NodeJS.ErrnoException;
  return `${code ?? ''} ${error.message} ${wordsOf(error.cause)}`;
}
