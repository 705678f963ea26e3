import assert from 'node:assert/strict';

import { MockActivityEnvironment } from '@temporalio/testing';
import { ApplicationFailure } from '@temporalio/common';
import { DefaultLogger } from '@temporalio/worker';

import { translateFailures } from '../../activities/failures.js';
import {
  createNameIds,
  createNamePage,
  openNameApis,
  type NameIdsStep,
  type NamePageDone,
  type NamePageStep,
} from '../../activities/monetate-names.js';
import { openSources } from '../../activities/sources.js';
import type { NameCounts } from '../../model/names.js';
import { vendors } from '../../vendors/registry.js';
import { prepareSource } from '../../warehouse/prepare-source.js';
import {
  account,
  madeVariants,
  openNamesPlace,
  privateKey,
  secretsOf,
  username,
  type NamesPlace,
} from '../support/monetate-api.js';
import { eventually } from '../support/eventually.js';
import { sourceOf } from '../support/landfall.js';
import { testDatabase, type TestDatabase } from '../support/postgres.js';
import { putRows } from '../vendors/monetate/rows.js';

const first = Date.parse('2026-11-21T03:00:00Z');
const at = (days: number): number => first + days * 86_400_000;
const visits = { source: 'visits', kind: 'variant' } as const;

interface Steps {
  readonly page: (step: Partial<NamePageStep>) => Promise<NamePageDone>;
  readonly ids: (step: Partial<NameIdsStep>, environment?: MockActivityEnvironment) => Promise<NameCounts>;
}

describe('the steps that name ids', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  let place: NamesPlace;
  let steps: Steps;
  const closes: (() => Promise<void>)[] = [];

  const newEnvironment = () => new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
  const openSteps = (metadata: object | undefined, most?: number): Steps => {
    const text = JSON.stringify({
      sources: {
        visits: {
          ...{ vendor: 'monetate', schema: 'monetate', maskKey: 'k'.repeat(32), metadata },
          store: {
            ...{ type: 'sftp', username: 'u', password: 'p', root: '1/raw_data/session_stream/' },
            hostKey: `SHA256:${'A'.repeat(43)}`,
          },
        },
      },
    });
    const { source, close } = openSources([sourceOf(text)], database.pool);
    closes.push(close);
    const deps = { pool: database.pool, source };
    const apis = openNameApis(deps);
    const { page, ids } = translateFailures(
      { page: createNamePage(deps, apis), ids: createNameIds(deps, apis, most) },
      deps,
    );
    return {
      page: (step) => newEnvironment().run(page, { ...visits, at: at(0), ...step }),
      ids: (step, environment = newEnvironment()) => environment.run(ids, { ...visits, at: at(0), ...step }),
    };
  };

  after(() => Promise.all(closes.map((close) => close())));

  const metadata = () => ({ account, username, privateKey, url: place.server.url });

  before(async () => {
    database = await testDatabase();
    await prepareSource(
      database.pool,
      { name: 'visits', vendor: 'monetate', schema: 'monetate' },
      vendors.monetate.scripts,
    );
    await database.pool.query(
      `insert into landfall.delivery (id, source, type, date, finality, since)
       values ('visits/2026-11-20', 'visits', 'sessions', '2026-11-20', 'final', now());
       insert into landfall.file (source, key, version, size, modified_at) values ('visits', 'f', 'v', 1, now());
       insert into landfall.load (delivery_id, request, fingerprint, state)
       values ('visits/2026-11-20', '1', 'a', 'published');
       insert into landfall.load_file (load_id, file_id, batch) values (1, 1, 0)`,
    );
  });
  beforeEach(async () => {
    await database.pool.query('truncate monetate.variant, monetate.session_offer');
    place = await openNamesPlace({ names: madeVariants(5), largestPage: 2 });
    steps = openSteps(metadata());
  });
  afterEach(() => place.server.stop());
  after(() => database.drop());

  const known = async (): Promise<string[]> => {
    const { rows } = await database.pool.query<{ known: string }>(
      `select concat_ws(' ', variant_id, variant_name, case when gone_at is not null then 'gone' end) as known
       from monetate.variant order by variant_id::int`,
    );
    return rows.map((row) => row.known);
  };
  const readAll = async (days: number): Promise<NameCounts> => {
    let next: string | undefined;
    do ({ next } = await steps.page({ at: at(days), ...(next === undefined ? {} : { next }) }));
    while (next !== undefined);
    return steps.ids({ at: at(days) });
  };
  const asked = (): string[] =>
    place.server.requests.map(({ what }) => what).filter((what) => /\/./.test(what));

  it('read a list page by page; a page that is read twice changes nothing', async () => {
    const page = await steps.page({});
    assert.equal(page.named, 2);
    assert.match(page.next ?? '', /page=2$/);
    await steps.page({});
    assert.deepEqual(await known(), ['1 Variant 1', '2 Variant 2']);
    assert.deepEqual(await readAll(0), { named: 5, new: 5, gone: 0, unknown: 0, left: 0 });
    assert.deepEqual(asked(), []);
  });

  it('ask for those that a list no longer has: some are gone, some were overlooked', async () => {
    await readAll(0);
    place.server.set({ variant: madeVariants(3, (id) => `New ${id}`).variant });
    // Not in the list, and there.
    const body = JSON.stringify({ meta: {}, data: { id: 4, split_name: 'Still here' } });
    place.server.fail('variant/4', { kind: 'answer', status: 200, body }, 9);
    assert.deepEqual(await readAll(1), { named: 4, new: 0, gone: 1, unknown: 0, left: 0 });
    assert.deepEqual(await known(), ['1 New 1', '2 New 2', '3 New 3', '4 Still here', '5 Variant 5 gone']);
    assert.deepEqual(asked(), ['variant/4', 'variant/5']);
    // Who is gone is not asked for again, and comes back with the list.
    assert.deepEqual(await readAll(2), { named: 4, new: 0, gone: 0, unknown: 0, left: 0 });
    assert.deepEqual(asked(), ['variant/4', 'variant/5', 'variant/4']);
    place.server.set(madeVariants(5));
    await readAll(3);
    assert.deepEqual((await known()).at(-1), '5 Variant 5');
  });

  it('a list that is suddenly empty is believed of no id', async () => {
    await readAll(0);
    place.server.fail('variant', { kind: 'answer', status: 200, body: '{"meta":{},"data":[]}' });
    assert.deepEqual(await readAll(1), { named: 5, new: 0, gone: 0, unknown: 0, left: 0 });
  });

  const use = (...ids: readonly string[]): Promise<void> =>
    putRows(
      database.pool,
      'monetate',
      'session_offer',
      ids.map((variant_id, index) => ({ session_id: `s${index}`, ordinal: 1, variant_id })),
    );
  const day = '2026-11-20';

  it("ask for a day's ids without a name, once a week for those that there are none of", async () => {
    await use('1', '99', '99', 'nonsense', '7/../../token');
    assert.deepEqual(await steps.ids({ day }), { named: 1, new: 1, gone: 0, unknown: 1, left: 0 });
    assert.deepEqual(asked(), ['variant/99', 'variant/1']);
    assert.deepEqual(await known(), ['1 Variant 1', '99 gone']);
    assert.deepEqual(await steps.ids({ day, at: at(6) }), { named: 0, new: 0, gone: 0, unknown: 0, left: 0 });
    await steps.ids({ day, at: at(8) });
    assert.deepEqual(asked(), ['variant/99', 'variant/1', 'variant/99']);
  });

  it('ask for so many at most', async () => {
    await use(...Array.from({ length: 13 }, (_, index) => String(1_000 + index)));
    const few = openSteps(metadata(), 10);
    assert.deepEqual(await few.ids({ day }), { named: 0, new: 0, gone: 0, unknown: 10, left: 3 });
    assert.deepEqual(await few.ids({ day, at: at(1) }), { named: 0, new: 0, gone: 0, unknown: 3, left: 0 });
  });

  it('keep what they heard when they are interrupted, and go on there', async () => {
    await use(...Array.from({ length: 60 }, (_, index) => String(100 + index)));
    place.server.fail('variant/155', { kind: 'answer', status: 429, headers: { 'retry-after': '30' } });
    await assert.rejects(steps.ids({ day }), (error: unknown) => {
      assert.ok(error instanceof ApplicationFailure);
      assert.deepEqual(
        [error.type, error.nonRetryable, error.nextRetryDelay],
        ['StoreUnavailable', false, 30_000],
      );
      return true;
    });
    assert.equal((await known()).length, 55);
    assert.deepEqual(await steps.ids({ day }), { named: 0, new: 0, gone: 0, unknown: 60, left: 0 });
    assert.equal(asked().length, 61);
  });

  it('stop when they are told to', async () => {
    await use('1', '2');
    const environment = newEnvironment();
    const arrived = new Promise<void>((resolve) => {
      const until = (): Promise<void> => (resolve(), new Promise(() => undefined));
      place.server.fail('variant/2', { kind: 'slow', until });
    });
    const running = steps.ids({ day }, environment);
    await arrived;
    environment.cancel();
    await assert.rejects(running);
    // A step that was told to stop is not waited for here.
    await eventually(async () => (await known())[0] === '1 Variant 1');
  });

  it('take turns: the API is asked for one thing at a time, with one token', async () => {
    await use('1', '2', '3');
    await Promise.all([steps.ids({ day }), readAll(0), steps.page({}), steps.page({ kind: 'pageevent' })]);
    assert.equal(place.server.atOnce(), 1);
    assert.equal(place.server.requests.filter(({ what }) => what === 'token').length, 1);
  });

  it('say what a person has to do, and nothing secret', async () => {
    await steps.page({});
    place.server.revoke();
    await assert.rejects(steps.page({}), (error: unknown) => {
      assert.ok(error instanceof ApplicationFailure);
      assert.deepEqual([error.type, error.nonRetryable], ['AccessDenied', false]);
      assert.match(error.message, new RegExp(`the key of ${username} was revoked.*API Keys`));
      const shown = JSON.stringify([error.message, error.stack, error.details, error.cause]);
      for (const value of secretsOf(place.server)) assert.ok(!shown.includes(value));
      return true;
    });
  });

  it('are left to another worker where this one has no API', async () => {
    await assert.rejects(openSteps(undefined).page({}), (error: unknown) => {
      assert.ok(error instanceof ApplicationFailure);
      assert.deepEqual([error.type, error.nonRetryable], ['SourceMissing', false]);
      assert.match(
        error.message,
        /has sources\.visits\.metadata, by which ids are named, in its configuration\. Add it/,
      );
      return true;
    });
  });
});
