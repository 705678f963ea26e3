import assert from 'node:assert/strict';

import { send } from '../../stores/http.js';
import { AddressRefused, isPrivate } from '../../stores/private-addresses.js';

describe('an address of a private network', () => {
  const inside = [
    ...['127.0.0.1', '127.9.9.9', '0.0.0.0', '10.1.2.3', '172.16.0.1', '172.31.255.255', '192.168.1.1'],
    ...['169.254.169.254', '100.64.0.1', '198.18.0.1', '192.0.0.8', '224.0.0.1', '255.255.255.255'],
    ...['::', '::1', '[::1]', 'fe80::1', 'fe80::1%eth0', 'fd00:ec2::254', 'fc00::1', 'ff02::1', 'fec0::1'],
    ...[
      '::ffff:10.0.0.1',
      '::ffff:7f00:1',
      '[::ffff:a9fe:a9fe]',
      '::127.0.0.1',
      '64:ff9b::a00:1',
      '2002:a00:1::',
    ],
  ];
  const outside = [
    ...['8.8.8.8', '172.32.0.1', '172.15.255.255', '192.169.0.1', '100.128.0.1', '223.255.255.255'],
    ...['2a00:1450:4001:81b::2010', '::ffff:8.8.8.8', '::ffff:808:808', 'storage.googleapis.com'],
  ];
  it('is told from others', () => {
    assert.deepEqual(
      inside.filter((address) => !isPrivate(address)),
      [],
    );
    assert.deepEqual(outside.filter(isPrivate), []);
  });

  for (const host of [
    '127.0.0.1',
    'localhost',
    '0x7f.1',
    '2130706433',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '169.254.169.254',
  ]) {
    it(`is not asked for anything: ${host}`, () =>
      assert.rejects(send({ method: 'GET', url: `http://${host}:9/`, onlyPublic: true }), AddressRefused));
  }
});
