import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { freePort } from '../../sandbox/ports.js';
import { vendors } from '../../vendors/registry.js';
import { prepareSource } from '../../warehouse/prepare-source.js';
import { openDesk, yamlOf } from '../client/landfall-command.js';
import { eventually } from '../support/eventually.js';
import { runLandfall } from '../support/landfall-process.js';
import { testDatabase, type TestDatabase } from '../support/postgres.js';
import { basic, password, send } from './receiving.js';

describe('landfall receiver', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  before(async () => {
    database = await testDatabase();
  });
  after(() => database.drop());

  const yaml = (port: number): string => `postgres: { url: '\${DATABASE_URL}' }
receiver: { port: ${port} }
sources:
  visits:
    vendor: dynatrace
    auth: { basic: { username: dynatrace, password: ${password} } }
`;
  // Nothing listens there: bodies are taken all the same.
  const away = { TEMPORAL_ADDRESS: '127.0.0.1:1' };

  it('does not start without a source that sends, or before it is set up', async () => {
    const others = await openDesk(yamlOf('shop'));
    const { code, err } = await others.landfall('receiver');
    assert.equal(code, 2);
    assert.match(err, /^No source of .*landfall\.yaml is of a vendor that sends/);
    await others.leave();

    const desk = await openDesk(yaml(0), { DATABASE_URL: database.url, ...away });
    const unprepared = await desk.landfall('receiver');
    assert.equal(unprepared.code, 1);
    assert.match(unprepared.err, /^The ledger does not know source visits\. Run 'landfall setup'\.\n$/);
    await desk.leave();
  });

  it('serves, says where, and lets what is under way come to its end on SIGTERM', async () => {
    await prepareSource(
      database.pool,
      { name: 'visits', vendor: 'dynatrace', schema: 'dynatrace' },
      vendors.dynatrace.scripts,
    );
    const cwd = await mkdtemp(join(tmpdir(), 'landfall-receiver-'));
    const port = await freePort();
    await writeFile(join(cwd, 'landfall.yaml'), yaml(port));
    try {
      const { child, err, ended } = runLandfall(['receiver'], {
        cwd,
        env: { DATABASE_URL: database.url, LANDFALL_LOG_LEVEL: 'debug', ...away },
      });
      const url = `http://127.0.0.1:${port}`;
      await eventually(() => err().includes(`visits: ${url}/dynatrace/visits\n`), { timeoutMs: 30_000 });
      const idle = connect({ host: '127.0.0.1', port });
      idle.write('GET /health HTTP/1.1\r\nhost: a\r\n\r\n');
      await once(idle, 'data');
      const { status } = await send(url, { path: '/dynatrace/visits', headers: basic, body: '{"a":1}' });
      assert.equal(status, 200);

      const socket = connect({ host: '127.0.0.1', port });
      let heard = '';
      socket.on('data', (part: Buffer) => (heard += part.toString()));
      socket.write(
        `PUT /dynatrace/visits HTTP/1.1\r\nhost: a\r\nauthorization: ${basic.authorization}\r\n` +
          `expect: 100-continue\r\ncontent-length: 7\r\n\r\n{"b"`,
      );
      await eventually(() => heard.includes('100 Continue'));
      child.kill('SIGTERM');
      await once(idle, 'close');
      await assert.rejects(send(url, { path: '/health' }));
      socket.write(':2}');
      assert.equal(await ended, 0, err());
      assert.match(heard, /HTTP\/1\.1 200 OK[^]*connection: close/i);
      const { rows } = await database.pool.query('select documents from landfall.inbox');
      assert.equal(rows.length, 2);
      assert.match(err(), /"source":"visits","form":"documents","bytes":7,"documents":1,"status":"200"/);
      assert.doesNotMatch(err(), new RegExp(password));
    } finally {
      await rm(cwd, { recursive: true, force: true });
    }
  });

  it('starts without Postgres, and tells senders to come again', async () => {
    const cwd = await mkdtemp(join(tmpdir(), 'landfall-receiver-'));
    const port = await freePort();
    await writeFile(join(cwd, 'landfall.yaml'), yaml(port));
    try {
      const { child, err, ended } = runLandfall(['receiver'], {
        cwd,
        env: { DATABASE_URL: 'postgres://a:b@127.0.0.1:1/c', ...away },
      });
      await eventually(() => err().includes('/dynatrace/visits\n'), { timeoutMs: 30_000 });
      const url = `http://127.0.0.1:${port}`;
      assert.equal((await send(url, { path: '/dynatrace/visits', headers: basic, body: '{}' })).status, 503);
      child.kill('SIGINT');
      assert.equal(await ended, 0, err());
    } finally {
      await rm(cwd, { recursive: true, force: true });
    }
  });
});
