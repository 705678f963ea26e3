import assert from 'node:assert/strict';

import type pg from 'pg';

import { countUnseen } from '../../warehouse/count-unseen.js';
import { openDelivery, type LedgerDelivery } from '../../warehouse/ledger-delivery.js';
import { pendingFiles } from '../../warehouse/stage-file.js';
import { leaveOut } from '../../warehouse/unreadable-files.js';
import { testDatabase, type TestDatabase } from '../support/postgres.js';
import {
  assertSound,
  countsByFile,
  deliveryOf,
  load,
  openVisits,
  plan,
  publish,
  seen,
  stage,
  written,
  type Visits,
  type Written,
} from './adding.js';

let database: TestDatabase;
let pool: pg.Pool;
let visits: Visits;

const a = written('a', 'v1', ['1', 2]);
const b = written('b', 'v1', ['2', 1]);
const broken = (key: string, version: string): Written => ({ key, version, lines: 'unreadable' });
const ids = async (): Promise<string[]> => (await seen(visits)).map(([id, says]) => `${id}: ${says}`);

describe('a file that cannot be read, where files come one by one', function () {
  this.timeout(60_000);
  before(async () => {
    database = await testDatabase();
    pool = database.pool;
  });
  beforeEach(async () => {
    visits = await openVisits(pool);
  });
  afterEach(() => assertSound(visits));
  after(() => database.drop());

  const ledger = (): Promise<LedgerDelivery> =>
    openDelivery(
      pool,
      { id: visits.delivery, source: visits.source, type: 'sessions', date: '2026-11-20' },
      0,
    );

  it('is left out, and the ledger says so', async () => {
    const files = [a, broken('b', 'v1'), broken('c', 'v1')];
    const planned = await plan(visits, files);
    await stage(visits, planned, files);
    const { notice, files: count } = await publish(visits, planned.loadId, { notice: 'Asked for.' });
    assert.equal(
      notice,
      'Asked for. 2 files cannot be read and are left out; what readers saw of them before stays. The first is b: its ' +
        'gzip is cut off. One that comes in another version is loaded by itself; reprocess the delivery to read all ' +
        'files again.',
    );
    assert.equal(count, 1);
    assert.deepEqual(await ids(), ['1: a v1 1']);
    const { unreadable, counts } = await ledger();
    assert.deepEqual(unreadable, { files: 2, first: 'b: its gzip is cut off.' });
    assert.equal(counts?.files, 1);
    assert.deepEqual(await countsByFile(visits), {
      ...{ 'a v1': [1, 1, 0, 0], 'b v1': 'its gzip is cut off.', 'c v1': 'its gzip is cut off.' },
    });
  });

  it('is not read again while it is the same, and told of as long as it is listed', async () => {
    await load(visits, [a, broken('b', 'v1')]);
    const c = written('c', 'v1', ['3', 0]);
    assert.deepEqual(await load(visits, [a, broken('b', 'v1'), c]), ['c']);
    assert.deepEqual((await ledger()).unreadable, { files: 1, first: 'b: its gzip is cut off.' });
    assert.match((await ledger()).notice ?? '', /^1 file cannot be read and is left out; .* It is b: /);
    assert.deepEqual(await load(visits, [a, c]), []);
    assert.equal((await ledger()).unreadable, undefined);
    assert.equal((await ledger()).notice, undefined);
  });

  it('is read again by force, and in another version', async () => {
    await load(visits, [a, broken('b', 'v1')]);
    assert.deepEqual(await load(visits, [a, broken('b', 'v1')], { force: true }), ['a', 'b']);
    assert.deepEqual((await ledger()).unreadable?.files, 1);
    assert.deepEqual(await load(visits, [a, written('b', 'v2', ['2', 0])]), ['b']);
    assert.equal((await ledger()).unreadable, undefined);
    assert.deepEqual(await ids(), ['1: a v1 1', '2: b v2 1']);
  });

  it('leaves the version of it that readers see, until it comes in one that can be read', async () => {
    await load(visits, [a, b]);
    await load(visits, [a, broken('b', 'v2')]);
    assert.deepEqual(await ids(), ['1: a v1 1', '2: b v1 1']);
    assert.deepEqual(await load(visits, [a, broken('b', 'v2'), written('c', 'v1')]), ['c']);
    assert.deepEqual(Object.keys(await countsByFile(visits)), ['a v1', 'b v1', 'b v2', 'c v1']);
    await load(visits, [a, written('b', 'v3', ['4', 0])]);
    assert.deepEqual(await ids(), ['1: a v1 1', '4: b v3 1']);
    assert.deepEqual(Object.keys(await countsByFile(visits)), ['a v1', 'b v3', 'c v1']);
  });

  it('leaves its rows, where the very version that readers see cannot be read once more', async () => {
    await load(visits, [a, b]);
    const files = [a, broken('b', 'v1')];
    const planned = await plan(visits, files, { force: true });
    await stage(visits, planned, files);
    assert.match((await publish(visits, planned.loadId)).notice ?? '', /what readers saw of it before stays/);
    assert.deepEqual(await ids(), ['1: a v1 1', '2: b v1 1']);
    assert.deepEqual(await countsByFile(visits), { 'a v1': [1, 1, 0, 0], 'b v1': [1, 1, 0, 0] });
  });

  it('can be all that there is', async () => {
    await load(visits, [broken('a', 'v1')]);
    assert.deepEqual((await ledger()).counts?.files, 0);
    assert.deepEqual((await ledger()).unreadable, { files: 1, first: 'a: its gzip is cut off.' });
  });

  it('is not left out any more once another attempt has staged it, nor when its load was given up', async () => {
    const planned = await plan(visits, [a]);
    const [pending] = await pendingFiles(pool, planned.loadId, 0);
    await stage(visits, planned, [a]);
    await leaveOut(pool, planned.loadId, pending!, 'its gzip is cut off.');
    await publish(visits, planned.loadId);
    assert.deepEqual(await countsByFile(visits), { 'a v1': [1, 1, 0, 0] });
    await assert.rejects(leaveOut(pool, planned.loadId, pending!, 'x'), { type: 'LoadSuperseded' });
  });
});

describe('files that readers do not see', function () {
  this.timeout(60_000);
  before(async () => {
    database = await testDatabase();
    pool = database.pool;
    visits = await openVisits(pool);
  });
  after(() => database.drop());

  const unseen = (...files: readonly Written[]): Promise<number> => countUnseen(pool, visits.source, files);

  it('are counted: those of no published load, in another version, of another source, or left out', async () => {
    assert.equal(await unseen(a, b), 2);
    const planned = await plan(visits, [a]);
    assert.equal(await unseen(a), 1, 'planned is not seen');
    await stage(visits, planned, [a]);
    assert.equal(await unseen(a), 1, 'staged is not seen');
    await publish(visits, planned.loadId);
    assert.deepEqual([await unseen(a, b), await unseen(a), await unseen()], [1, 0, 0]);
    const next = await deliveryOf(visits, '2026-11-21');
    await load(next, [b, broken('c', 'v1')]);
    assert.equal(await unseen(a, b), 0, 'of whatever delivery');
    assert.equal(await unseen(broken('c', 'v1')), 1);
    assert.equal(await unseen(written('a', 'v2'), b), 1);
    await load(visits, [written('a', 'v2')]);
    assert.deepEqual([await unseen(a), await unseen(written('a', 'v2'))], [1, 0]);
    assert.equal(await countUnseen(pool, (await openVisits(pool)).source, [a]), 1);
  });

  it('are counted by the thousand', async () => {
    const files = Array.from({ length: 5_000 }, (_, n) => written(`many/${n}`, 'v1'));
    assert.equal(await unseen(...files, b), 5_000);
  });
});
