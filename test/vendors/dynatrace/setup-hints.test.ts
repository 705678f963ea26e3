import assert from 'node:assert/strict';

import { setupHints } from '../../../vendors/dynatrace/setup-hints.js';
import { dynatrace } from '../../../vendors/dynatrace/vendor.js';
import type { ReceiverPlace } from '../../../vendors/vendor.js';

const place: ReceiverPlace = {
  ...{ url: 'https://landfall.example.com', path: '/dynatrace/rum', source: 'rum' },
  ...{ basic: { username: 'dynatrace' }, bearer: false },
};

const enter = (at: ReceiverPlace, setting: string): string | undefined =>
  setupHints(at).find((hint) => hint.setting === setting)?.enter;

describe("what to type into Dynatrace's form", () => {
  it('is told in the order of the form, by its own words', () => {
    assert.deepEqual(setupHints(place), [
      { setting: 'Settings', enter: 'Integration > User session exports > Add item' },
      { setting: 'Endpoint URL', enter: 'https://landfall.example.com/dynatrace/rum' },
      { setting: 'Enable user session export', enter: 'on' },
      { setting: 'Use POST method (instead of PUT)', enter: 'off; on works too' },
      { setting: 'Basic authentication: Activate', enter: 'on' },
      { setting: 'Basic authentication: User name', enter: 'dynatrace' },
      {
        setting: 'Basic authentication: Password',
        enter: 'what the configuration has as sources.rum.auth.basic.password',
      },
      {
        setting: 'Send data directly to Elasticsearch',
        enter:
          'off. Where it has to be on, the endpoint URL is https://landfall.example.com/dynatrace/rum/_bulk, ' +
          'with any index and document type',
      },
      {
        setting: 'Management zone',
        enter:
          'none, for all sessions; with one, those with an action in it. Up to three endpoints may send the same sessions',
      },
      { setting: 'Save changes', enter: "then 'Test export', which answers with Code: 200" },
    ]);
    assert.equal(dynatrace.setupHints, setupHints);
  });

  it('has a token for a form that takes one, in the place of a password or beside it', () => {
    const token =
      "a token URL of yours that gives the token that the configuration has as sources.rum.auth.bearer; it comes as the header 'Authorization: Bearer …'";
    const alone: ReceiverPlace = { ...place, basic: undefined, bearer: true };
    assert.equal(enter(alone, 'Basic authentication: Activate'), 'off');
    assert.equal(enter(alone, 'Basic authentication: User name'), undefined);
    assert.equal(enter(alone, 'OAuth 2.0'), token);
    assert.equal(enter({ ...place, bearer: true }, 'Or OAuth 2.0'), token);
    assert.equal(enter(place, 'OAuth 2.0'), undefined);
  });

  it('says so where the address is none that Dynatrace sends to', () => {
    const plain = { ...place, url: 'http://127.0.0.1:8480' };
    assert.equal(enter(plain, 'Endpoint URL'), 'http://127.0.0.1:8480/dynatrace/rum');
    assert.match(
      enter(plain, 'Before that') ?? '',
      /^make it an https:\/\/ address: .* http:\/\/127\.0\.0\.1:8480 /,
    );
    assert.equal(enter(place, 'Before that'), undefined);
  });

  it('is of that source, wherever it is named', () => {
    const other = { ...place, path: '/dynatrace/shop-eu', source: 'shop-eu', bearer: true };
    assert.ok(!JSON.stringify(setupHints(other)).includes('rum'));
  });
});
