/** What comes instead of a listing, with status 200: of each kind that was met or can be. */

export interface FalseListing {
  readonly what: string;
  /** Made of the true one. */
  readonly body: (listing: string) => string;
  /** What the error says of it. */
  readonly says: RegExp;
}

const html = '<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>Please sign in.</body></html>';
const says = {
  none: /answered with status 200 and no listing but "/,
  cut: /ended in the middle: what came is cut off/,
  count: /says that it has \d+ entries/,
};

/** Sound for any listing with at least one key. */
export const falseListings: readonly FalseListing[] = [
  { what: 'the page of a proxy', body: () => html, says: says.none },
  { what: 'an empty body', body: () => '', says: /an empty body instead of a listing/ },
  { what: 'a line break', body: () => '\r\n', says: /an empty body instead of a listing/ },
  { what: 'JSON', body: () => '{"message":"ok"}', says: says.none },
  { what: 'plain text', body: () => 'OK', says: says.none },
  { what: 'a declaration alone', body: () => '<?xml version="1.0" encoding="UTF-8"?>', says: says.none },
  {
    what: 'XML of another root',
    body: () => '<?xml version="1.0"?><ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>',
    says: says.none,
  },
  {
    what: 'a listing that stops after its head',
    body: (xml) => xml.slice(0, xml.indexOf('<Contents>')),
    says: says.cut,
  },
  {
    what: 'a listing that stops within a key',
    body: (xml) => xml.slice(0, xml.indexOf('</Key>')),
    says: says.cut,
  },
  { what: 'a listing without its last bytes', body: (xml) => xml.trimEnd().slice(0, -1), says: says.cut },
  {
    what: 'a root with nothing in it',
    body: () => '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"/>',
    says: /does not say whether there is more/,
  },
  {
    what: 'an empty listing of nothing named',
    body: () => '<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>',
    says: /does not say of which bucket and prefix/,
  },
  { what: 'a listing whose keys are left out', body: withoutKeys, says: says.count },
  {
    what: 'a listing without its first key',
    body: (xml) => xml.replace(/<Contents>.*?<\/Contents>/s, ''),
    says: says.count,
  },
  {
    what: 'a key without a name',
    body: (xml) => xml.replace(/<Key>[^<]*<\/Key>/, ''),
    says: /has no key/,
  },
  {
    what: 'the listing of another bucket',
    body: (xml) =>
      withoutKeys(xml)
        .replace(/<Name>[^<]*</, '<Name>another<')
        .replace(/<KeyCount>\d+/, '<KeyCount>0'),
    says: /of another bucket \('another' instead of '/,
  },
  {
    what: 'the listing of another prefix',
    body: (xml) =>
      withoutKeys(xml)
        .replace(/<Prefix>[^<]*</, '<Prefix>another/<')
        .replace(/<KeyCount>\d+/, '<KeyCount>0'),
    says: /of another prefix \('another\/' instead of '/,
  },
  {
    what: 'keys of another prefix',
    body: (xml) => xml.replaceAll(/<Key>[^<]*</g, '<Key>another/key<'),
    says: /holds 'another\/key', which does not lie there/,
  },
  {
    what: 'more to come, and not where',
    body: (xml) =>
      xml
        .replace(/<NextContinuationToken>[^<]*<\/NextContinuationToken>/, '')
        .replace(/<IsTruncated>\w+</, '<IsTruncated>true<'),
    says: /ended in the middle: the server says there is more/,
  },
];

function withoutKeys(xml: string): string {
  return xml.replaceAll(/<(Contents|CommonPrefixes)>.*?<\/\1>/gs, '');
}
