import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Client } from '@temporalio/client';

import type { Finding } from '../../client/checks/finding.js';
import { freePort } from '../../sandbox/ports.js';
import { startTemporal } from '../../sandbox/temporal-server.js';
import type { TestDatabase } from '../support/postgres.js';
import { testBucket } from '../support/s3.js';
import { devServerProgram, type DevServer } from '../support/temporal.js';
import { openDesk, yamlOf, type Desk } from './landfall-command.js';
import { openTemporalDesk } from './temporal-desk.js';

/** Everything these tests leave on the server, which all tests share, bears this name. */
const source = `setup-${process.pid}`;

describe('commands that set up and check', () => {
  let database: TestDatabase;
  let server: DevServer;
  let client: Client;
  let desk: Desk;

  before(async function () {
    this.timeout(120_000);
    ({ database, server, client, desk } = await openTemporalDesk(source));
  });

  after(async () => {
    await desk.leave();
    await database.drop();
  });

  describe('setup', () => {
    after(() => client.schedule.getHandle(`${source}/discover`).delete());

    it('says what it did, and what it left as it was when repeated', async () => {
      const first = await desk.landfall('setup');
      assert.deepEqual([first.code, first.err], [0, '']);
      assert.equal(
        first.out,
        [
          'postgres: ledger: schema landfall is up to date',
          `postgres: source ${source}: schema experiments has optimizely's tables and views`,
          'temporal: search attributes: were there already',
          `temporal: schedule ${source}/discover: created, every 15 minutes`,
          "Ready. Start workers with 'landfall worker'.",
          '',
        ].join('\n'),
      );
      const second = await desk.landfall('setup');
      assert.match(second.out, /discover: updated, every 15 minutes/);
    });

    it('sets up the other sources where one cannot be, and says why', async () => {
      const [taken, other] = [`${source}-taken`, `${source}-other`];
      const there = await openDesk(
        yamlOf(taken, `postgres: { url: "${database.url}" }\ntemporal: { taskQueue: ${source} }`) +
          yamlOf(other)
            .slice(yamlOf(other).indexOf(`  ${other}:`))
            .replace('experiments', 'others'),
        { TEMPORAL_ADDRESS: server.address },
      );
      try {
        const { code, out } = await there.landfall('setup');
        assert.equal(code, 1, out);
        assert.match(
          out,
          new RegExp(
            `\\npostgres: source ${taken}: FAILED: Schema 'experiments' belongs to source '${source}'\\. .*` +
              `\\npostgres: source ${other}: schema others has optimizely's tables and views\\n`,
          ),
        );
        assert.match(out, new RegExp(`schedule ${other}/discover: created`));
        assert.doesNotMatch(out, new RegExp(`schedule ${taken}/discover`), 'it would only fail');
        assert.match(
          out,
          new RegExp(
            `\\nNot ready: ${taken}\\. Mend what is wrong, then run setup again\\. Everything else is ready\\.\\n$`,
          ),
        );
      } finally {
        await there.leave();
        await client.schedule.getHandle(`${other}/discover`).delete();
      }
    });

    it('registers search attributes where there are none', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'landfall-test-temporal-'));
      const bare = await startTemporal({
        binary: await devServerProgram(),
        port: await freePort(),
        uiPort: await freePort(),
        logFile: join(folder, 'temporal.log'),
      });
      const there = await openDesk(`postgres: { url: "${database.url}" }`, {
        TEMPORAL_ADDRESS: bare.address,
      });
      try {
        assert.match(
          (await there.landfall('check')).out,
          /WRONG {2}temporal: search attributes: LandfallSource, /,
        );
        assert.match(
          (await there.landfall('setup')).out,
          /search attributes: registered LandfallSource, LandfallVendor, DeliveryDate, Finality\n/,
        );
        assert.match((await there.landfall('setup')).out, /search attributes: were there already\n/);
      } finally {
        await there.leave();
        await bare.stop();
        await rm(folder, { recursive: true, force: true });
      }
    }).timeout(60_000);

    it('makes a schedule that skips what overlaps and looks back one day', async () => {
      const { spec, policies, action } = await client.schedule.getHandle(`${source}/discover`).describe();
      assert.deepEqual(
        spec.intervals?.map(({ every }) => every),
        [900_000],
      );
      assert.equal(policies.overlap, 'SKIP');
      assert.equal(policies.catchupWindow, 86_400_000);
      assert.equal(action.workflowType, 'discover');
      assert.equal(action.taskQueue, source);
      assert.deepEqual(action.args, [{ source }]);
      assert.equal(action.staticSummary, `${source}: look for new deliveries`);
    });

    it('leaves a schedule paused that a person has paused', async () => {
      const schedule = client.schedule.getHandle(`${source}/discover`);
      await schedule.pause('vendor moves house');
      await desk.landfall('setup');
      const { state } = await schedule.describe();
      assert.deepEqual([state.paused, state.note], [true, 'vendor moves house']);
      const { out } = await desk.landfall('check', '-o', 'json');
      const finding = (JSON.parse(out) as Finding[]).find(
        ({ what }) => what === `schedule ${source}/discover`,
      );
      assert.equal(finding?.found, 'it is paused (vendor moves house)');
      await schedule.unpause();
    });
  });

  describe('check', () => {
    it('looks at every part, whatever is wrong with the others, and says how to mend it', async () => {
      const { code, out } = await desk.landfall('check', source, '-o', 'json');
      assert.equal(code, 1);
      const findings = JSON.parse(out) as Finding[];
      const said = (part: string, what: string): Finding => {
        const finding = findings.find((candidate) => candidate.part === part && candidate.what === what);
        assert(finding, `${part}: ${what}`);
        return finding;
      };
      for (const what of ['connection', 'version', 'encoding', 'rights', 'ledger', `source ${source}`]) {
        assert.equal(said('postgres', what).ok, true, what);
      }
      for (const what of ['connection', 'namespace', 'search attributes']) {
        assert.equal(said('temporal', what).ok, true, what);
      }
      assert.deepEqual(said('temporal', 'worker'), {
        part: 'temporal',
        what: 'worker',
        ok: false,
        found: `there is none on task queue '${source}'`,
        mend: "Start one with 'landfall worker'.",
      });
      assert.equal(said(`store of ${source}`, 'listing').ok, false);
    });

    it('is content with a store that holds something under the prefix', async () => {
      const { bucket, endpoint, accessKeyId, secretAccessKey, put } = await testBucket();
      await put('v1/type=events/date=2020-05-25/part-00000.parquet', 'PAR1');
      const filled = await openDesk(
        JSON.stringify({
          sources: {
            [source]: {
              vendor: 'optimizely',
              store: {
                ...{ type: 's3', bucket, prefix: 'v1/', endpoint, accessKeyId, secretAccessKey },
                forcePathStyle: true,
              },
            },
          },
        }),
      );
      const { code, out } = await filled.landfall('check');
      assert.equal(code, 1);
      assert.match(out, new RegExp(`ok +store of ${source}: listing: s3://${bucket}/v1/ holds type=events/`));
      assert.match(out, /WRONG {2}postgres: connection: No Postgres is configured/);
      assert.match(out, /WRONG {2}temporal: connection: No Temporal is configured/);
      await filled.leave();
    });

    it('says which namespace there is none of', async () => {
      const elsewhere = await openDesk(yamlOf(source), {
        TEMPORAL_ADDRESS: server.address,
        TEMPORAL_NAMESPACE: 'nowhere',
      });
      const { out } = await elsewhere.landfall('check');
      assert.match(
        out,
        /WRONG {2}temporal: namespace: 'nowhere' cannot be used: .*\n +Create it \('temporal operator/,
      );
      await elsewhere.leave();
    });

    it('counts what is wrong', async () => {
      assert.match((await desk.landfall('check')).out, /\n\d of \d+ checks found something wrong\.\n$/);
    });

    it('goes on where Postgres and Temporal are not there', async () => {
      const yaml = yamlOf(source, 'postgres: { url: "postgres://u:hunter2@127.0.0.1:1/warehouse" }');
      const lost = await openDesk(yaml, { TEMPORAL_ADDRESS: '127.0.0.1:1' });
      const { code, out } = await lost.landfall('check');
      assert.equal(code, 1);
      assert.match(
        out,
        /WRONG {2}postgres: connection: Postgres at 127\.0\.0\.1:1\/warehouse cannot be reached/,
      );
      assert.match(out, /WRONG {2}temporal: connection: Temporal at 127\.0\.0\.1:1 cannot be reached/);
      assert.match(out, new RegExp(`WRONG  store of ${source}: listing: `));
      assert(!out.includes('hunter2'));
      await lost.leave();
    }).timeout(60_000);
  });
});
