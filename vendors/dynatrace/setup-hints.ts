/** What Dynatrace's form is to be filled in with, by the names that the form has. Pure. */

import type { ReceiverPlace, SetupHint } from '../vendor.js';

/**
 * What to type into 'Settings > Integration > User session exports', from top to bottom. Secrets are named by where the
 * configuration has them.
 */
export function setupHints(place: ReceiverPlace): readonly SetupHint[] {
  const { url, path } = place;
  const endpoint = `${url}${path}`;
  return [
    { setting: 'Settings', enter: 'Integration > User session exports > Add item' },
    { setting: 'Endpoint URL', enter: endpoint },
    ...(url.startsWith('https:') ? [] : [notEncrypted(url)]),
    { setting: 'Enable user session export', enter: 'on' },
    { setting: 'Use POST method (instead of PUT)', enter: 'off; on works too' },
    ...credentials(place),
    {
      setting: 'Send data directly to Elasticsearch',
      enter: `off. Where it has to be on, the endpoint URL is ${endpoint}/_bulk, with any index and document type`,
    },
    {
      setting: 'Management zone',
      enter:
        'none, for all sessions; with one, those with an action in it. Up to three endpoints may send the same sessions',
    },
    { setting: 'Save changes', enter: "then 'Test export', which answers with Code: 200" },
  ];
}

/** The receiver serves HTTP, for a proxy before it or a try on one machine. */
function notEncrypted(url: string): SetupHint {
  return {
    setting: 'Before that',
    enter:
      `make it an https:// address: Dynatrace sends to no other, and ${url} is none. Set receiver.tls, or receiver.url to the ` +
      'address of the proxy that has the certificate',
  };
}

function credentials({ source, basic, bearer }: ReceiverPlace): readonly SetupHint[] {
  const auth = `sources.${source}.auth`;
  const token = `the token that the configuration has as ${auth}.bearer`;
  return [
    ...(basic
      ? [
          { setting: 'Basic authentication: Activate', enter: 'on' },
          { setting: 'Basic authentication: User name', enter: basic.username },
          {
            setting: 'Basic authentication: Password',
            enter: `what the configuration has as ${auth}.basic.password`,
          },
        ]
      : [{ setting: 'Basic authentication: Activate', enter: 'off' }]),
    ...(bearer
      ? [
          {
            setting: basic ? 'Or OAuth 2.0' : 'OAuth 2.0',
            enter: `a token URL of yours that gives ${token}; it comes as the header 'Authorization: Bearer …'`,
          },
        ]
      : []),
  ];
}
