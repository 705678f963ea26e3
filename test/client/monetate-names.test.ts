import assert from 'node:assert/strict';

import { ScheduleNotFoundError, type Client } from '@temporalio/client';

import type { Finding } from '../../client/checks/finding.js';
import { parseConfig } from '../../config/load.js';
import type { NamesResult } from '../../model/names.js';
import { createWorker } from '../../worker/create.js';
import { eventually } from '../support/eventually.js';
import { workflowBundle } from '../support/landfall.js';
import {
  account,
  openNamesPlace,
  privateKey,
  secretsOf,
  username,
  type NamesPlace,
} from '../support/monetate-api.js';
import { testDatabase, type TestDatabase } from '../support/postgres.js';
import { devServer, type DevServer } from '../support/temporal.js';
import { resultOf, terminateAll } from '../workflows/observe.js';
import { openDesk, type Desk } from './landfall-command.js';

const source = `named-by-${process.pid}`;

describe('landfall, where a Monetate source has names', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  let server: DevServer;
  let client: Client;
  let place: NamesPlace;
  const desks: Desk[] = [];

  before(async function () {
    this.timeout(120_000);
    database = await testDatabase();
    server = await devServer();
    client = server.environment.client;
    place = await openNamesPlace();
  });
  afterEach(async () => {
    for (const desk of desks.splice(0)) await desk.leave();
  });
  after(async () => {
    await terminateAll(client, source);
    for (const id of [`${source}/names`, `${source}/discover`]) {
      await client.schedule
        .getHandle(id)
        .delete()
        .catch(() => undefined);
    }
    await place.server.stop();
    await database.drop();
  });

  const settings = (metadata: object | undefined) => ({
    ...{ vendor: 'monetate', schema: 'visits', maskKey: 'k'.repeat(32), metadata },
    refusalGrace: '1 second',
    store: {
      ...{ type: 'sftp', host: '127.0.0.1', port: 1, username: 'u', password: 'p' },
      ...{ root: '1/raw_data/session_stream/', hostKey: `SHA256:${'A'.repeat(43)}` },
    },
  });
  const metadata = () => ({ account, username, privateKey, url: place.server.url });
  const configOf = (sources: object): string =>
    JSON.stringify({
      postgres: { url: database.url },
      temporal: { taskQueue: source, webUi: 'http://127.0.0.1:8233' },
      sources,
    });
  const at = async (sources: object): Promise<Desk> => {
    const desk = await openDesk(configOf(sources), { TEMPORAL_ADDRESS: server.address });
    desks.push(desk);
    return desk;
  };
  const named = () => at({ [source]: settings(metadata()) });

  /** While a worker works. */
  const working = async <T>(work: () => Promise<T>): Promise<T> => {
    const text = configOf({ [source]: settings(metadata()) });
    const { sources } = parseConfig({ name: 'test.yaml', path: 'test.yaml', env: {}, text });
    const { worker, close } = await createWorker({
      connection: server.environment.nativeConnection,
      ...{ namespace: 'default', taskQueue: source, postgresUrl: database.url, sources: [...sources] },
      ...{ maxConcurrentActivities: 4, shutdownGraceTime: 200, readers: 1, memoryLimit: '128MB' },
      workflowCode: { workflowBundle: await workflowBundle() },
    });
    try {
      return await worker.runUntil(work);
    } finally {
      await close();
    }
  };
  const count = async (what: string): Promise<number> =>
    Number((await database.pool.query<{ n: string }>(`select count(*) as n from visits.${what}`)).rows[0]?.n);

  it('setup makes a schedule for them, and takes it away with the setting', async () => {
    const without = await at({ [source]: settings(undefined) });
    assert.doesNotMatch((await without.landfall('setup')).out, /\/names/);
    const desk = await named();
    const { out } = await desk.landfall('setup');
    assert.match(out, new RegExp(`temporal: schedule ${source}/names: created, every 1 day\n`));
    const schedule = client.schedule.getHandle(`${source}/names`);
    const { spec, policies, action } = await schedule.describe();
    assert.deepEqual(
      spec.intervals?.map(({ every }) => every),
      [86_400_000],
    );
    assert.deepEqual([policies.overlap, policies.catchupWindow], ['SKIP', 86_400_000]);
    assert.deepEqual([action.workflowType, action.args], ['monetateNames', [{ source }]]);
    await schedule.pause('Monetate is asked too often');
    assert.match((await desk.landfall('setup')).out, /\/names: updated, every 1 day\n/);
    const { state } = await schedule.describe();
    assert.deepEqual([state.paused, state.note], [true, 'Monetate is asked too often']);
    const { out: checked } = await desk.landfall('check');
    assert.match(
      checked,
      new RegExp(`schedule ${source}/names: it is paused .*\n +New names are not asked for until`),
    );

    assert.match((await without.landfall('setup')).out, new RegExp(`schedule ${source}/names: removed\n`));
    await assert.rejects(schedule.describe(), ScheduleNotFoundError);
    assert.match((await desk.landfall('setup')).out, /\/names: created, /);
  });

  it('names are asked for at once, and when somebody wants them', async () => {
    const desk = await named();
    await desk.landfall('setup');
    await working(async () => {
      await eventually(async () => (await count('variant')) === 24, { timeoutMs: 20_000 });
      const first = await desk.landfall('monetate', 'names', '-o', 'json');
      assert.deepEqual([first.code, first.err.split('\n')[0]], [0, `Started ${source}/names.`]);
      const result = JSON.parse(first.out) as NamesResult & { workflowId: string; started: boolean };
      assert.deepEqual([result.workflowId, result.started], [`${source}/names`, true]);
      assert.equal(result.named, 42);
      const ofDay = await desk.landfall('monetate', 'names', source, '--day', '2026-11-20');
      assert.deepEqual([ofDay.code, ofDay.out], [0, 'What Monetate says of ids of 2026-11-20: 0 named.\n']);
    });
    assert.deepEqual([await count('page_event'), await count('custom_target')], [12, 6]);
  });

  it('nothing secret is in a history, a table or an output', async () => {
    place.server.fail('pageevent', { kind: 'answer', status: 403 }, 2);
    const desk = await named();
    const outcome = await working(() => desk.landfall('monetate', 'names'));
    assert.equal(outcome.code, 1);
    assert.match(
      outcome.err,
      new RegExp(`The run ${source}/names did not come to its end: .* the key of ${username} was revoked`),
    );
    const handle = client.workflow.getHandle(`${source}/names`);
    await resultOf(handle).catch(() => undefined);
    const { events } = await handle.fetchHistory();
    const history = JSON.stringify(events, (_, value: unknown) =>
      value instanceof Uint8Array ? Buffer.from(value).toString() : value,
    );
    assert.ok(history.includes('was revoked'), 'payloads can be read');
    const { rows } = await database.pool.query('select * from visits.variant');
    for (const value of secretsOf(place.server)) {
      assert.ok(!`${history}${outcome.err}${outcome.out}${JSON.stringify(rows)}`.includes(value), value);
    }
    assert.ok(!JSON.stringify(rows).includes('not-to-be-kept'));
  });

  describe('check', () => {
    const finding = async (changes: object): Promise<Finding | undefined> => {
      const desk = await at({ [source]: settings({ ...metadata(), ...changes }) });
      const { out } = await desk.landfall('check', source, '-o', 'json');
      return (JSON.parse(out) as Finding[]).find(({ part }) => part === `names of ${source}`);
    };

    it('asks for a token and a page', async () => {
      assert.deepEqual(await finding({}), {
        ...{ part: `names of ${source}`, what: 'metadata API', ok: true },
        found: `${username} may read account ${account}, which gave 24 variants`,
      });
    });

    it('says what is wrong', async () => {
      const wrong = await finding({ account: 'acne' });
      assert.equal(wrong?.ok, false);
      assert.match(wrong.found, /status 404: there is no such list\. Check metadata\.account/);
      assert.match(wrong.mend ?? '', /^Sessions are loaded all the same/);
      assert.match((await finding({ username: 'api-other' }))?.found ?? '', /refused with status 401/);
      assert.match((await finding({ privateKey: 'key' }))?.found ?? '', /cannot be read as a private key/);
      assert.match(
        (await finding({ url: 'http://127.0.0.1:1/api' }))?.found ?? '',
        /ECONNREFUSED 127\.0\.0\.1:1$/,
      );
    });

    it('asks nothing of a source without', async () => {
      const desk = await at({ [source]: settings(undefined) });
      assert.doesNotMatch((await desk.landfall('check', source)).out, /names of|\/names/);
    });
  });

  describe('says before anything is asked that', () => {
    const podcasts = { vendor: 'megaphone', store: { type: 's3', bucket: 'b' } };
    const other = (schema: string) => ({ ...settings(undefined), schema });
    for (const [what, sources, args, error] of [
      ['there is no such source', { podcasts }, [], 'The configuration has no Monetate source.'],
      [
        'it is of another vendor',
        { podcasts },
        ['podcasts'],
        "Source 'podcasts' is of megaphone. Only Monetate's ids are named in this way.",
      ],
      [
        'it has no API',
        { [source]: other('a') },
        [],
        `Source '${source}' has no API to ask: set sources.${source}.metadata, with the account, username and privateKey of an API key.`,
      ],
      [
        'there are several',
        { one: other('a'), two: other('b') },
        [],
        'The configuration has several Monetate sources; say which: one, two.',
      ],
    ] as const) {
      it(what, async () => {
        const desk = await at(sources);
        assert.deepEqual(await desk.landfall('monetate', 'names', ...args), {
          ...{ code: 2, out: '', err: `${error}\n` },
        });
      });
    }
  });
});
