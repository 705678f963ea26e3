import assert from 'node:assert/strict';

import { deliveryStart, type DeliveryStart } from '../../config/delivery-start.js';
import { findSource } from '../../config/find-source.js';
import { parseConfig } from '../../config/load.js';
import { inboxStart } from '../../config/inbox-start.js';
import { nameBatch, nameDay, nameJob } from '../../config/name-delivery.js';
import { hasStore, type SentSource, type SourceConfig } from '../../config/schema.js';
import { example, exampleEnv } from './example.js';

const { sources } = parseConfig({ text: example, name: 'landfall.yaml', path: '/l.yaml', env: exampleEnv });

const isSent = (source: SourceConfig): source is SentSource => !hasStore(source);

describe('the start of a delivery', () => {
  const source = findSource(sources, 'experiments');
  const now = Date.parse('2026-11-21T06:00:00Z');

  it('has the business name as workflow id and the vendor as workflow type', () => {
    const start = deliveryStart(source, nameDay(source, 'events', '2026-11-20'), now);
    assert.equal(start.workflowId, 'experiments/events/2026-11-20');
    assert.equal(start.workflowType, 'optimizely');
    assert.equal(start.staticSummary, 'experiments: events of 2026-11-20');
  });

  it('waits until giveUpAfter past the end of the UTC day', () => {
    const { input, staticDetails } = deliveryStart(source, nameDay(source, 'events', '2026-11-20'), now);
    assert.equal(new Date(input.deadline).toISOString(), '2026-11-24T00:00:00.000Z');
    assert.match(staticDetails, /awaited until 2026-11-24 00:00Z, 3 days after the end of the day/);
  });

  it('of an old day has a deadline in the past', () => {
    const { input, staticDetails } = deliveryStart(source, nameDay(source, 'events', '2020-05-25'), now);
    assert.equal(new Date(input.deadline).toISOString(), '2020-05-29T00:00:00.000Z');
    assert.match(staticDetails, /waiting for that ended at 2020-05-29 00:00Z/);
  });

  it('says whether there is an API that names its ids', () => {
    const text = `sources:
  visits: { vendor: monetate, maskKey: ${'k'.repeat(32)}, store: { type: sftp, username: u, password: p, hostKey: "SHA256:${'A'.repeat(43)}", root: 1/raw_data/session_stream/ } METADATA }`;
    const names = (metadata: string): boolean | undefined => {
      const whole = text.replace('METADATA', metadata);
      const [visits] = parseConfig({ text: whole, name: 'landfall.yaml', path: '/l.yaml', env: {} }).sources;
      return deliveryStart(visits!, nameDay(visits!, 'sessions', '2026-11-20'), now).input.names;
    };
    assert.equal(names(', metadata: { account: a, username: api-a, privateKey: do-not-tell }'), true);
    assert.equal(names(''), undefined);
  });

  it('of a vendor that rewrites its days says until when, and how long they have to stand still', () => {
    const text = `sources:
  podcasts: { vendor: megaphone, types: [metrics, impressions-v2], store: { type: s3, bucket: b } }
  others: { vendor: megaphone, schema: o, closesAfter: 6 hours, settleFor: 2 hours, store: { type: s3, bucket: c } }`;
    const all = parseConfig({ text, name: 'landfall.yaml', path: '/l.yaml', env: {} }).sources;
    const start = (name: string, type: string) => {
      const named = findSource(all, name);
      const day = nameDay(named, type, '2026-11-20');
      const { workflowId, input, staticDetails } = deliveryStart(named, day, now);
      const closesAt = new Date(input.closesAt ?? 0).toISOString();
      return [
        workflowId,
        closesAt,
        input.settleFor,
        /stood still for .* after [^.]*/.exec(staticDetails)?.[0],
      ];
    };
    assert.deepEqual(start('podcasts', 'metrics'), [
      'podcasts/2026-11-20',
      '2026-11-21T04:30:00.000Z',
      3_600_000,
      'stood still for 1 hour after 2026-11-21 04:30Z',
    ]);
    assert.deepEqual(start('podcasts', 'impressions-v2'), [
      'podcasts/impressions-v2/2026-11-20',
      '2026-11-21T11:00:00.000Z',
      3_600_000,
      'stood still for 1 hour after 2026-11-21 11:00Z',
    ]);
    assert.deepEqual(start('others', 'metrics'), [
      'others/2026-11-20',
      '2026-11-21T06:00:00.000Z',
      7_200_000,
      'stood still for 2 hours after 2026-11-21 06:00Z',
    ]);
  });

  it('of a job says how long its upload may take, and when it is discarded', () => {
    const text = `sources:
  sessions: { vendor: leanplum, discardAfter: 6 hours, deleteDiscarded: true, store: { type: s3, bucket: b } }`;
    const all = parseConfig({ text, name: 'landfall.yaml', path: '/l.yaml', env: {} }).sources;
    const sessions = findSource(all, 'sessions');
    const uuid = '37e812c0-d66e-48a2-8812-27ee12d58b58';
    const start = deliveryStart(sessions, nameJob(sessions, 'sessions', '2026-11-20', uuid), now);
    assert.equal(start.workflowId, `sessions/${uuid}`);
    assert.equal(start.workflowType, 'leanplum');
    assert.equal(start.staticSummary, 'sessions: job of 2026-11-20');
    const { discardAfter, uploadGrace, deleteDiscarded } = start.input;
    assert.deepEqual(
      { discardAfter, uploadGrace, deleteDiscarded },
      { discardAfter: 6 * 3_600_000, uploadGrace: 2 * 3_600_000, deleteDiscarded: true },
    );
    assert.match(start.staticDetails, /Without its manifests it is discarded 6 hours after its first file/);
  });

  it('of a batch says that it is complete as it is, and how long its bodies are kept', () => {
    const auth = '{ bearer: do-not-tell }';
    const text = `sources:
  rum: { vendor: dynatrace, auth: ${auth} }
  others: { vendor: dynatrace, schema: o, keepInbox: 0, auth: ${auth} }`;
    const all = parseConfig({ text, name: 'landfall.yaml', path: '/l.yaml', env: {} }).sources;
    const startOf = (name: string): DeliveryStart => {
      const config = findSource(all, name);
      return deliveryStart(config, nameBatch(config, '2026-11-20', '17'), now);
    };
    const { workflowId, workflowType, staticSummary, staticDetails, input } = startOf('rum');
    assert.deepEqual(
      [workflowId, workflowType, staticSummary, input.type],
      ['rum/2026-11-20/17', 'dynatrace', 'rum: batch of 2026-11-20', 'sessions'],
    );
    assert.match(
      staticDetails,
      /final once it is loaded; its bodies are kept in the inbox for 7 days after that/,
    );
    assert.match(startOf('others').staticDetails, /its bodies are deleted from the inbox after that/);
    assert.ok(
      !JSON.stringify([startOf('rum'), ...all.filter(isSent).map(inboxStart)]).includes('do-not-tell'),
    );
  });

  it('holds no secret: it travels through histories', () => {
    const text = JSON.stringify(deliveryStart(source, nameDay(source, 'events', '2026-11-20'), now));
    for (const value of Object.values(exampleEnv)) assert(!text.includes(value));
    assert(!text.includes('[secret]'));
  });

  it('needs a source of the configuration', () => {
    assert.throws(() => findSource(sources, 'experiment'), {
      message:
        "The configuration has no source 'experiment'; did you mean 'experiments'? It has experiments.",
    });
    assert.throws(() => findSource([], 'x'), {
      message: "The configuration has no source 'x'. It has none.",
    });
  });
});
