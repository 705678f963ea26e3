import assert from 'node:assert/strict';
import { inspect } from 'node:util';

import { readDocument } from '../../config/document.js';
import { toProblems } from '../../config/problems.js';
import { sftpStore, type SftpStoreSettings } from '../../config/vendors/sftp-store.js';

const hostKey = 'SHA256:veG4xmzzmBHidwW7vCOGMT+D+B84GZ+0YedBxnaBzeY';
/** The key with that fingerprint. */
const publicKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH+iHZS3X+yraftwWc+LQOtPssEx3HcjN+GVB8hW6TYj';
const privateKey = '-----BEGIN OPENSSH PRIVATE KEY-----\nhunter2\n-----END OPENSSH PRIVATE KEY-----\n';
const least = `type: sftp, host: sftp.example.com, username: landfall, password: hunter2, hostKey: '${hostKey}'`;

function parse(store: string): SftpStoreSettings {
  return sftpStore().parse(readDocument('landfall.yaml', `{ ${store} }`, {}).value);
}

/** Rule by rule, as the error of a configuration tells them. */
function problemsOf(store: string, defaults?: { host: string }): string[] {
  const document = readDocument('landfall.yaml', `{ ${store} }`, {});
  const parsed = sftpStore(defaults).safeParse(document.value);
  return toProblems(parsed.error?.issues ?? [], document).map(({ path, rule, value }) =>
    value === undefined ? `${path} ${rule}` : `${path} ${rule}; it is ${value}`,
  );
}

describe('the settings of an SFTP store', () => {
  it('need host, user, a way to log in and the host key; the rest has defaults', () => {
    const { password, ...others } = parse(least);
    assert.equal(password?.reveal(), 'hunter2');
    assert.deepEqual(others, {
      type: 'sftp',
      host: 'sftp.example.com',
      port: 22,
      username: 'landfall',
      hostKey: { fingerprint: hostKey },
      root: '',
      connections: 4,
    });
  });

  it('may take the host from the vendor', () => {
    const settings = sftpStore({ host: 'sftp.monetate.net' }).parse(
      readDocument('landfall.yaml', `{ type: sftp, username: u, password: p, hostKey: '${hostKey}' }`, {})
        .value,
    );
    assert.equal(settings.host, 'sftp.monetate.net');
  });

  it('take a private key with its passphrase instead of a password', () => {
    const store = parse(
      `type: sftp, host: h, username: u, hostKey: '${hostKey}', passphrase: open sesame, privateKey: ${JSON.stringify(privateKey)}`,
    );
    assert.equal(store.privateKey?.reveal(), privateKey);
    assert.equal(store.passphrase?.reveal(), 'open sesame');
    assert.equal(store.password, undefined);
  });

  it('take a private key on one line, with its line breaks written out', () => {
    for (const line of [privateKey.trim().replaceAll('\n', '\\n'), privateKey.replaceAll('\n', '\\r\\n')]) {
      const text = JSON.stringify(line);
      const store = parse(`type: sftp, host: h, username: u, hostKey: '${hostKey}', privateKey: ${text}`);
      assert.equal(store.privateKey?.reveal(), privateKey);
    }
  });

  it('take older algorithms by their names', () => {
    const store = parse(`${least}, algorithms: { kex: [diffie-hellman-group14-sha1], hmac: [hmac-md5] }`);
    assert.deepEqual(store.algorithms, { kex: ['diffie-hellman-group14-sha1'], hmac: ['hmac-md5'] });
    assert.deepEqual(problemsOf(`${least}, algorithms: { cipher: [] }`), [
      'algorithms.cipher must name at least one algorithm; it is a list',
    ]);
  });

  it('do not show their secrets when they are printed', () => {
    const store = parse(
      `type: sftp, host: h, username: u, hostKey: '${hostKey}', passphrase: hunter2, privateKey: ${JSON.stringify(privateKey)}`,
    );
    for (const printed of [
      JSON.stringify([store, parse(least)]),
      inspect([store, parse(least)], { depth: 9 }),
    ]) {
      assert.ok(!printed.includes('hunter2'), printed);
    }
  });

  for (const [how, written] of [
    ['ssh-keygen -lf shows it', `256 ${hostKey} someone@somewhere (ED25519)`],
    ['base64 pads it', `${hostKey}=`],
  ] as const) {
    it(`take a fingerprint as ${how}`, () => {
      const store = parse(least.replace(hostKey, written));
      assert.deepEqual(store.hostKey, { fingerprint: hostKey });
    });
  }

  for (const [how, written] of [
    ['ssh-keygen writes it', `${publicKey} someone@somewhere`],
    ['ssh-keyscan shows it', `sftp.example.com ${publicKey}`],
    ['known_hosts holds it', `[sftp.example.com]:2222,[192.0.2.7]:2222 ${publicKey}`],
  ] as const) {
    it(`take a public key as ${how}`, () => {
      const store = parse(least.replace(hostKey, written));
      assert.deepEqual(store.hostKey, { fingerprint: hostKey, algorithm: 'ssh-ed25519' });
    });
  }

  for (const host of ['127.0.0.1', '::1', '2001:db8::7', 'localhost', 'sftp-eu_1.example.com']) {
    it(`take the host ${host}`, () =>
      assert.equal(parse(least.replace('sftp.example.com', `'${host}'`)).host, host));
  }

  for (const root of ['12345/raw_data/session_stream/', '/', '/exports/', 'a folder/']) {
    it(`take the root ${root}`, () => assert.equal(parse(`${least}, root: '${root}'`).root, root));
  }
});

const fingerprintRule =
  "hostKey must be the fingerprint of the server's host key, 'SHA256:' and 43 letters as `ssh-keygen -lf` shows it, or " +
  "the whole public key, 'ssh-ed25519 AAAA…'";
const hostRule =
  "host must be the name or address of a server alone, such as 'sftp.example.com'; the port has its own setting";
const rootRule =
  "root must be empty, or a folder that ends with '/', such as '12345/raw_data/session_stream/'";

const cases: readonly (readonly [title: string, store: string, ...problems: string[]])[] = [
  [
    'no host key',
    'type: sftp, host: h, username: u, password: p',
    `hostKey is missing; it ${fingerprintRule.replace('hostKey ', '')}`,
  ],
  [
    'neither password nor key',
    `type: sftp, host: h, username: u, hostKey: '${hostKey}'`,
    'password is missing: a user logs in with a password or a privateKey',
  ],
  [
    'both',
    `${least}, privateKey: ${JSON.stringify(privateKey)}`,
    'privateKey must not stand beside password: a user logs in with one of them; it is a secret, which is not shown',
  ],
  [
    'a passphrase for nothing',
    `${least}, passphrase: hunter2`,
    'passphrase is without the privateKey that it belongs to; it is a secret, which is not shown',
  ],
  [
    'the path of a key',
    `type: sftp, host: h, username: u, hostKey: '${hostKey}', privateKey: ~/.ssh/id_ed25519`,
    'privateKey must be a private key itself (OpenSSH, PEM or PuTTY), not the path of its file; it is a secret, which is ' +
      'not shown',
  ],
  [
    'a password that is none',
    `type: sftp, host: h, username: u, hostKey: '${hostKey}', password: 4711`,
    'password must be a text; it is a secret, which is not shown',
  ],
  [
    'an address instead of a host',
    least.replace('sftp.example.com', 'sftp://sftp.example.com'),
    `${hostRule}; it is 'sftp://sftp.example.com'`,
  ],
  [
    'a host with its port',
    least.replace('sftp.example.com', 'sftp.example.com:2222'),
    `${hostRule}; it is 'sftp.example.com:2222'`,
  ],
  [
    'a port that is none',
    `${least}, port: 70000`,
    'port must be a whole number from 1 to 65535; it is 70000',
  ],
  ['a root without its final slash', `${least}, root: exports`, `${rootRule}; it is 'exports'`],
  ['a root with two slashes in front', `${least}, root: //exports/`, `${rootRule}; it is '//exports/'`],
  [
    'no connection at all',
    `${least}, connections: 0`,
    'connections must be a whole number from 1 to 64; it is 0',
  ],
  [
    'an old fingerprint',
    `type: sftp, host: h, username: u, password: p, hostKey: 'MD5:0b:1f:b7:3a:9d:70:cd:96:33:95:22:de:02:c4:e9:67'`,
    `${fingerprintRule}; it is 'MD5:0b:1f:b7:3a:9d:70:cd:96:33:95:22:de:02:c4:e9:67'`,
  ],
  [
    'half a public key',
    least.replace(hostKey, publicKey.slice(0, 24)),
    `${fingerprintRule}; it is '${publicKey.slice(0, 24)}'`,
  ],
  [
    'two fingerprints',
    least.replace(hostKey, `${hostKey} ${hostKey}`),
    `${fingerprintRule}; it is '${hostKey} ${hostKey}'`,
  ],
  ['another store', least.replace('type: sftp', 'type: s3'), "type must be 'sftp'; it is 's3'"],
];

describe('the settings of an SFTP store are refused with', () => {
  for (const [title, store, ...problems] of cases) {
    it(title, () => assert.deepEqual(problemsOf(store), problems));
  }

  it('everything that is wrong at once', () => {
    assert.deepEqual(problemsOf('type: sftp, host: h, username: u, port: 0, passphrase: hunter2'), [
      'port must be a whole number from 1 to 65535; it is 0',
      `hostKey is missing; it ${fingerprintRule.replace('hostKey ', '')}`,
      'password is missing: a user logs in with a password or a privateKey',
      'passphrase is without the privateKey that it belongs to; it is a secret, which is not shown',
    ]);
  });
});
