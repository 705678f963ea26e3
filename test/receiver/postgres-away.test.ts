import assert from 'node:assert/strict';

import { pino } from 'pino';

import { startReceiver } from '../../receiver/server.js';
import { eventually } from '../support/eventually.js';
import { ownDatabase, type OwnDatabase } from '../support/own-postgres.js';
import { openReceiver, send, sendingSource, type TestReceiver } from './receiving.js';

describe('the receiver, when Postgres', function () {
  this.timeout(60_000);
  let database: OwnDatabase;
  let receiver: TestReceiver;
  before(async () => {
    database = await ownDatabase({ synchronous_commit: 'off', wal_writer_delay: '10s' });
    receiver = await openReceiver({ database, times: { statement: 500 } });
  });
  after(async () => {
    await receiver.close();
    await database.drop();
  });
  beforeEach(() => database.pool.query('truncate landfall.inbox'));
  const get = async (path: string) => send(receiver.url, { method: 'GET', path });
  const comeAgain = async (): Promise<void> => {
    const { status, headers, text } = await receiver.send({ body: '{}' });
    assert.equal(status, 503);
    assert.match(String(headers['retry-after']), /^\d+$/);
    assert.equal((JSON.parse(text) as { error: { type: string } }).error.type, 'not_kept');
  };

  it('is stopped, says 503 and is not ready; and goes on by itself when it is back', async () => {
    assert.equal((await receiver.send({ body: '{"a":1}' })).status, 200);
    await database.server.stop('fast');
    for (let times = 0; times < 12; times += 1) await comeAgain();
    assert.equal((await get('/ready')).status, 503);
    assert.equal((await get('/health')).status, 200);
    const { status, text } = await get('/metrics');
    assert.equal(status, 200);
    assert.doesNotMatch(text, /^landfall_inbox_/m);
    await database.server.restart();
    await eventually(async () => (await receiver.send({ body: '{"b":1}' })).status === 200);
    assert.equal((await get('/ready')).status, 200);
    assert.match((await get('/metrics')).text, /^landfall_inbox_bodies\{source="[^"]+"\} 2$/m);
    assert.deepEqual(
      (await receiver.rows()).map(({ body }) => body),
      ['{"a":1}', '{"b":1}'],
    );
  });

  it('is stopped while another receiver starts, is asked by that for what waits once it is back', async () => {
    assert.equal((await receiver.send({ body: '{"a":1}' })).status, 200);
    await database.server.stop('fast');
    const { source } = receiver;
    const told: unknown[] = [];
    const other = await startReceiver({
      ...{ settings: sendingSource(source.name).settings, sources: [source], postgresUrl: database.url },
      times: { announce: 100 },
      nudge: (...what) => Promise.resolve(void told.push(what)),
      log: pino({ enabled: false }),
    });
    try {
      assert.deepEqual(told, []);
      await database.server.restart();
      await eventually(() => told.length > 0);
      assert.deepEqual(told, [[source.name, 7]]);
    } finally {
      await other.close();
    }
  });

  it('crashes, has every body that was answered with 200, though it is told not to wait for the disk', async () => {
    const bodies = Array.from({ length: 40 }, (_, id) => `{"id":${id}}`);
    const statuses = await Promise.all(bodies.map(async (body) => (await receiver.send({ body })).status));
    assert.deepEqual(new Set(statuses), new Set([200]));
    await database.server.restart('immediate');
    const kept = await eventually(async () => (await receiver.rows()).map(({ body }) => body));
    assert.deepEqual(kept.sort(), bodies.sort());
  });

  it('does not answer, says 503 in time, with every connection taken too', async () => {
    const client = await database.pool.connect();
    await client.query('begin; lock table landfall.inbox');
    await Promise.all(Array.from({ length: 20 }, comeAgain));
    await client.query('rollback');
    client.release();
    assert.equal((await receiver.send({ body: '{}' })).status, 200);
    assert.equal((await receiver.rows()).length, 1);
  });

  it('does not know the source, says 503 and is not ready', async () => {
    const { name } = receiver.source;
    await database.pool.query('update landfall.source set name = $2 where name = $1', [name, `${name}-old`]);
    await comeAgain();
    assert.equal((await get('/ready')).status, 503);
    await database.pool.query('update landfall.source set name = $1 where name = $2', [name, `${name}-old`]);
    assert.equal((await get('/ready')).status, 200);
    assert.equal((await receiver.send({ body: '{}' })).status, 200);
  });
});
