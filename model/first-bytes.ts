/** How many bytes are shown. */
const shown = 60;

/** What bytes begin with, for a sentence: `"<html><head>…"`. Whatever is no printable ASCII is escaped. */
export function firstBytes(bytes: Buffer): string {
  return quoteStart(bytes.toString('latin1', 0, 4_096));
}

/** The same of a text with a letter for each byte. */
export function quoteStart(latin1: string): string {
  const text = latin1.trimStart();
  const plain = text
    .slice(0, shown)
    .replaceAll(/[\r\n\t]+/g, ' ')
    .replaceAll(/[^\x20-\x7e]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`);
  return `"${plain}${text.length > shown ? '…' : ''}"`;
}
