/** Files whose personal values are easily found: each begins with `canary`. */

import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';

import { reading, writeParquet } from '../reader/reading.js';
import type { MaskedFile } from '../support/masking.js';

type Treatments = Readonly<Record<string, 'drop' | 'hash'>>;

export interface Case {
  readonly title: string;
  readonly vendor: 'optimizely' | 'megaphone' | 'leanplum' | 'monetate';
  readonly type: string;
  readonly name: string;
  readonly mask: Treatments;
  /** Columns that the vendor's own settings mask. */
  readonly usual?: readonly string[];
  /** Every value that a rule names begins with `canary`. */
  readonly files: () => readonly MaskedFile[] | Promise<readonly MaskedFile[]>;
  /** Rows that cannot be loaded. */
  readonly bad: number;
}

export const lines = (...rows: readonly (string | Buffer)[]): Buffer =>
  Buffer.concat(rows.flatMap((row) => [Buffer.from(row), Buffer.from('\n')]));
export const json = (row: object): string => JSON.stringify(row);

export const metric = (row: object): object => ({ id: 'm', created_at: '2026-11-20T01:00:00Z', ...row });
export const megaphone: Case = {
  ...{ title: 'JSON lines', vendor: 'megaphone', type: 'metrics', name: '2026-11-20' },
  mask: { ip: 'hash', user_agent: 'drop', city: 'hash', '_extra.device': 'drop', '_extra.owner.*': 'hash' },
  bad: 10,
  files: () => {
    const personal = { ip: 'canary ip', user_agent: 'canary agent', city: 'canary city' };
    return [
      {
        key: 'metrics-day-2026-11-20.json.gz',
        bytes: gzipSync(
          lines(
            json(metric({ ...personal, id: 'plain' })),
            // Plain but for what is dropped: the quick way takes it.
            json(metric({ id: 'quick', user_agent: 'canary quick' })),
            json(metric({ ...personal, id: 'odd', device: 'canary device', owner: { a: 'canary owner' } })),
            json(metric({ ...personal, id: 'escaped', user_agent: 'a"b\\canary' })),
            // Bad ones, of every kind.
            '{"id":"x","ip":"canary no json',
            '["canary list"]',
            '{"id":"y","ip":"canary twice","ip":"canary twice again"}',
            json(metric({ ...personal, id: 'type', filesize: 'much', device: 'canary device' })),
            '{"id":"nan","owner":{"a":NaN,"b":[Infinity,]},"kept":[NaN,]}',
            json(metric({ ...personal, id: null })),
            json(metric({ ...personal, id: 'nul', ip: 'canary\u0000nul' })),
            Buffer.from('{"id":"z","ip":"canary \xff"}', 'latin1'),
            Buffer.from('{"id":"z","ip":"canary \0"}', 'latin1'),
            `{"id":"long","ip":"canary long","user_agent":"${'x'.repeat(16_000_000)}"}`,
          ),
        ),
      },
    ];
  },
};

const id = '00000000-0000-4000-8000-000000000001';
const session = (row: object): object => ({ sessionId: '1', isSession: true, ...row });
export const leanplum: Case = {
  ...{ title: 'nested JSON lines', vendor: 'leanplum', type: 'sessions', name: id },
  mask: {
    user_id: 'hash',
    device_id: 'drop',
    lat: 'drop',
    'user_attribute:value': 'hash',
    'event:info': 'hash',
    'event_parameter:value.email': 'drop',
    'event_parameter:value.phone': 'hash',
    'state_parameter:name': 'drop',
    '_extra.secret': 'hash',
    'event:_extra': 'drop',
  },
  bad: 9,
  files: () => {
    const personal = (number: number, changes: object = {}, event: object = {}): object =>
      session({
        sessionId: String(number),
        userId: 'canary user',
        deviceId: 'canary device',
        userAttributes: { mail: 'canary mail', age: 'canary age' },
        secret: { deep: 'canary secret' },
        states: [
          {
            stateId: '5',
            parameters: { 'canary key': 'x' },
            events: [
              {
                eventId: `77700${number}`,
                name: 'open',
                info: 'canary info',
                parameters: { email: 'canary email', phone: 'canary phone', city: 'Rome' },
                more: 'canary more',
                ...event,
              },
            ],
          },
        ],
        ...changes,
      });
    return [
      {
        key: `20261120/export-1-${id}-output-0`,
        bytes: lines(
          json(personal(1)),
          json(personal(2)),
          '{"sessionId":"9","userId":"canary no json',
          '"canary text"',
          '{"sessionId":"9","userId":"canary twice","userId":"canary twice"}',
          json(personal(3, { isSession: 'perhaps' })),
          json(personal(4, {}, { time: 'canary time?'.slice(6) })),
          json(personal(5, { states: 'canary states' })),
          json(personal(6, { states: ['canary state'] })),
          json(personal(7, { userAttributes: ['canary attributes'] })),
          Buffer.from('{"sessionId":"8","userId":"canary \xff"}', 'latin1'),
        ),
      },
    ];
  },
};

export const csv: Case = {
  ...{ title: 'CSV', vendor: 'leanplum', type: 'sessions', name: id },
  mask: {
    user_id: 'hash',
    device_id: 'drop',
    'event:info': 'hash',
    'event_parameter:value.email': 'drop',
    'event_parameter:value.phone': 'hash',
    'user_attribute:value': 'hash',
    '_extra.note': 'hash',
  },
  bad: 7,
  files: () => {
    const shard = (kind: string, ...rows: readonly (string | Buffer)[]): MaskedFile => ({
      key: `20261120/export-1-${id}-output${kind}-0`,
      bytes: lines(...rows),
    });
    return [
      shard(
        'sessions',
        'sessionId,userId,deviceId,isSession,note',
        '1,canary user,canary device,true,canary note',
        // Bad: a type, a field too few, a quote, no text.
        '2,canary user,canary device,perhaps,canary note',
        '3,canary user',
        '4,canary "user",canary device,true,',
        Buffer.from('5,canary \xff,,true,', 'latin1'),
        Buffer.from('6,canary \0,,true,', 'latin1'),
        ',canary user,canary device,true,canary note',
      ),
      shard('states', 'stateId,sessionId,stateName', '5,1,home'),
      shard('events', 'eventId,stateId,sessionId,eventName,info', '7,5,1,open,canary info'),
      shard(
        'eventparameters',
        'eventId,name,value',
        '7,email,canary email',
        '7,phone,canary phone',
        '7,city,Rome',
        // There is no such event.
        '8,phone,canary phone',
      ),
      shard('userattributes', 'sessionId,name,value', '1,mail,canary mail'),
    ];
  },
};

export const parquet: Case = {
  ...{ title: 'Parquet', vendor: 'optimizely', type: 'events', name: 'events/2026-11-20' },
  mask: {
    user_ip: 'hash',
    visitor_id: 'hash',
    user_agent: 'drop',
    referer: 'hash',
    attributes: 'hash',
    'tags.*.mail': 'drop',
    'tags.*.phone': 'hash',
    '_extra.device': 'hash',
    '_extra.note': 'drop',
  },
  bad: 3,
  files: async () => {
    const row = (uuid: string, revenue: string): string => `select ${uuid} as uuid,
      timestamp '2026-11-20 01:00:00' as timestamp, 'canary visitor' as visitor_id, 'canary ip' as user_ip,
      'canary agent' as user_agent, encode('canary referer') as referer,
      [{name: 'mail', value: 'canary attribute'}] as attributes,
      '{"a":{"mail":"canary mail","phone":"canary phone","city":"Rome"}}' as tags, ${revenue} as revenue,
      'canary device' as device, 'canary note' as note`;
    const union = [
      row(`'e1'`, `'5'`),
      row(`'e2'`, 'null'),
      // Bad: a type, no key, and JSON that is none.
      row(`'e3'`, `'much'`),
      row('null', `'5'`),
      row(`'e4'`, `'5'`).replace(`"city":"Rome"}}'`, `"city":"Rome"'`),
    ].join(' union all ');
    const bytes = await reading(async (at) => readFile(await writeParquet(at, union)));
    return [{ key: 'type=events/date=2026-11-20/part-0.parquet', bytes }];
  },
};

export const monetate: Case = {
  ...{ title: 'documents', vendor: 'monetate', type: 'sessions', name: '2026-11-20' },
  usual: ['customer_id', 'customer_link', 'custom_targets'],
  mask: {
    session_id: 'hash',
    guid: 'hash',
    city: 'drop',
    page_views: 'drop',
    start_time: 'drop',
    'custom_targets.1234': 'drop',
    purchases: 'hash',
    'view_lines.*.sku': 'hash',
    'view_lines.*.mail': 'drop',
    'cart_lines.*': 'hash',
    purchase_lines: 'hash',
    'session_offer:variant_id': 'hash',
    '_extra.email': 'drop',
    '_extra.loyalty': 'hash',
  },
  bad: 22,
  files: () => {
    const personal = (number: number, changes: object = {}): object => ({
      session_id: `canary session ${number}`,
      guid: 'canary guid',
      customer_id: 'canary customer',
      customer_link: 'canary link',
      city: 'canary city',
      custom_targets: {
        1234: 'canary dropped',
        5: 'canary target',
        6: ['canary listed', 7, null],
        7: { deep: 'canary deep' },
      },
      view_lines: [{ product_id: 'p-1', sku: 'canary sku', mail: 'canary mail', price: 5 }],
      cart_lines: { a: { sku: 'canary cart', note: 'canary note', qty: 2 } },
      offers: { 5: 1_795_169_401_000 },
      purchases: { 'o-1': 59.9 },
      purchase_lines: { 'o-1': { total_value: 59.9, items: [{ sku: 'canary item', name: 'canary name' }] } },
      email: 'canary email',
      loyalty: { card: 'canary card', level: 3 },
      ...changes,
    });
    const long = json(personal(3)).replace('59.9', '1524157875019.0521');
    const rows = [
      json(personal(1)),
      long,
      // Bad ones, of every kind.
      '{"session_id":"canary no json',
      '["canary list"]',
      '"canary text"',
      '{"session_id":"y","customer_id":"canary twice","customer_id":"canary again"}',
      '{"session_id":"y","custom_targets":{"5":"canary twice","5":"canary again"}}',
      '{"session_id":"y","view_lines":[{"sku":"canary twice","sku":"canary again"}]}',
      json(personal(4, { session_id: null })),
      json(personal(5, { session_id: 'canary long '.repeat(100) })),
      json(personal(6, { start_time: 'canary time' })),
      json(personal(7, { page_views: 'canary views' })),
      json(personal(8, { purchases: 'canary purchases' })),
      json(personal(9, { purchases: { 'o-1': 'canary much' } })),
      json(personal(10, { offers: 'canary offers' })),
      json(personal(11, { offers: { 5: 'soon' } })),
      json(personal(12, { guid: 'canary\u0000nul' })),
      json(personal(13, { custom_targets: { 5: ['canary\u0000nul'] } })),
      json(personal(14, { email: 'canary\u0000nul' })),
      '{"session_id":"canary","custom_targets":{"5":NaN,"6":"canary nan"},"loyalty":[Infinity,"canary card"]}',
      `{"session_id":"canary digits","custom_targets":{"5":0.${'1'.repeat(5_001)},"6":"canary"}}`,
      Buffer.from('{"session_id":"z","customer_id":"canary \xff"}', 'latin1'),
    ];
    const others = [
      json(personal(2)),
      Buffer.from('{"session_id":"z","customer_id":"canary \0"}', 'latin1'),
      `{"session_id":"long","customer_id":"canary long","guid":"${'x'.repeat(16_000_000)}"}`,
    ];
    return [
      { key: '2026/11/20/20261120T034500.000Z_PT15M-1.json.gz', bytes: lines(...rows) },
      { key: '2026/11/20/20261120T034500.000Z_PT15M-2.json.gz', bytes: gzipSync(lines(...others)) },
      { key: '2026/11/20/20261120T034500.000Z_PT15M-3.json.gz', bytes: '{"session_id":"canary cut off' },
    ];
  },
};
