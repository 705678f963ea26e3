import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';

import fc from 'fast-check';

import type { Plan } from '../../activities/plan.js';
import { hasShrunk } from '../../warehouse/held-load.js';
import { assertConsistent } from '../support/landed.js';
import { prefix, type TestSource } from '../support/landfall.js';
import { megaphoneSource } from '../support/megaphone.js';
import { withSteps, type Steps } from '../support/steps.js';

const date = '2026-03-01';

describe('a version with far fewer rows than the one before', function () {
  this.timeout(60_000);
  let source: TestSource;
  beforeEach(async () => {
    source = await megaphoneSource();
  });
  afterEach(() => source.drop());

  const steps = <T>(work: (steps: Steps) => Promise<T>): Promise<T> =>
    withSteps(source, 'metrics', date, work);
  /** The vendor writes a version with so many rows; `twice` more of them have the id of another. */
  const write = (rows: number, twice = 0): Promise<unknown> => {
    const lines = Array.from({ length: rows }, (_, id) => JSON.stringify({ id: `${id}` }));
    const text = [...lines, ...lines.slice(0, twice)].map((line) => `${line}\n`).join('');
    return source.bucket.put(`${prefix}metrics-day-${date}.json.gz`, gzipSync(text));
  };
  const stage = async (day: Steps, request: string, force = false): Promise<Plan> => {
    const plan = await day.plan(request, force);
    await day.stageAll(plan);
    return plan;
  };
  /** Loads 100 rows, then stages another version. */
  const afterHundred = async (day: Steps, rows: number, twice = 0): Promise<Plan> => {
    await write(100);
    await day.publish(await stage(day, 'a'));
    await write(rows, twice);
    return stage(day, 'b');
  };
  const visible = async (): Promise<number> =>
    Number((await source.rows('select count(*) as n from experiments.metric'))[0]?.['n']);
  const delivery = async (): Promise<Record<string, unknown> | undefined> =>
    (await source.rows('select finality, held, reason from landfall.delivery'))[0];
  const loads = async (): Promise<unknown[]> =>
    (await source.rows('select state from landfall.load order by id')).map(({ state }) => state);
  const held = { type: 'HeldForReview' } as const;

  it('is held: readers and finality stay, and the ledger says why', async () => {
    await steps(async (day) => {
      const plan = await afterHundred(day, 49);
      await assert.rejects(day.publish(plan), held);
      // However often it is tried: the ledger tells it once.
      await assert.rejects(day.publish(plan), held);
    });
    assert.deepEqual([await visible(), await loads()], [100, ['published', 'staging']]);
    const { held: why, ...rest } = (await delivery()) ?? {};
    assert.deepEqual(rest, { finality: 'final', reason: 'by hand' });
    assert.match(
      String(why),
      /has 49 rows \(load \d+\), where readers see 100 \(load \d+\)\. That is 51 % fewer, and shrinkLimit is 50 %\./,
    );
    assert.deepEqual(await source.rows(`select reason from landfall.delivery_event where kind = 'held'`), [
      { reason: why },
    ]);
    assert.equal((await source.rows('select * from landfall.notice')).length, 0);
  });

  it('answers what was asked for before it was held, and nothing since', async () => {
    const ask = (request: string): Promise<unknown> =>
      source.rows(`update landfall.delivery set wish = 'accept', wish_request = '${request}'`);
    const wish = async (): Promise<unknown> =>
      (await source.rows('select wish from landfall.delivery'))[0]?.['wish'];
    await steps(async (day) => {
      const plan = await afterHundred(day, 10);
      await ask('before');
      await assert.rejects(day.publish(plan, undefined, ['before']), held);
      assert.equal(await wish(), null);
      await ask('since');
      await assert.rejects(day.publish(plan, undefined, ['before']), held);
      assert.equal(await wish(), 'accept');
      await day.publish(plan, 'the vendor says so', ['since']);
    });
    assert.equal(await wish(), null);
  });

  it('is published with exactly as many rows fewer as the limit lets it lose', async () => {
    await steps(async (day) => {
      assert.equal((await day.publish(await afterHundred(day, 50))).loaded, 50);
    });
    assert.equal(await visible(), 50);
  });

  it('counts rows that readers would see: duplicates are none', async () => {
    await steps(async (day) => assert.rejects(day.publish(await afterHundred(day, 40, 60)), held));
    assert.equal(await visible(), 100);
  });

  it('is published once a person accepts it, and never again for that', async () => {
    await steps(async (day) => {
      const plan = await afterHundred(day, 10);
      await assert.rejects(day.publish(plan), held);
      assert.equal((await day.publish(plan, 'the vendor says so')).loaded, 10);
      assert.deepEqual([await visible(), (await delivery())?.['held']], [10, null]);
      await write(120);
      await day.publish(await stage(day, 'c'));
      // The very files that were accepted, but now in place of others.
      await write(10);
      await assert.rejects(
        stage(day, 'd').then((again) => day.publish(again)),
        held,
      );
    });
    assert.equal(await visible(), 120);
  });

  it('accepting it accepts no other version', async () => {
    await steps(async (day) => {
      const plan = await afterHundred(day, 10);
      await assert.rejects(day.publish(plan), held);
      await write(5);
      const smaller = await stage(day, 'c');
      // It was given up for the new one meanwhile.
      await assert.rejects(day.publish(plan, 'the vendor says so'), { type: 'LoadSuperseded' });
      await assert.rejects(day.publish(smaller), held);
    });
    assert.equal(await visible(), 100);
  });

  it('stays accepted when its staging is lost before it is published', async () => {
    await steps(async (day) => {
      const plan = await afterHundred(day, 10);
      await assert.rejects(day.publish(plan), held);
      await source.rows('delete from landfall_staging.' + `load_${plan.loadId}_metric`);
      await assert.rejects(day.publish(plan, 'the vendor says so'), { type: 'StagingLost' });
      assert.equal((await delivery())?.['held'], null);
      const again = await stage(day, 'c');
      assert.notEqual(again.loadId, plan.loadId);
      assert.equal((await day.publish(again)).loaded, 10);
    });
    assert.equal(await visible(), 10);
    await assertConsistent(source.database.pool);
  });

  it('is given up for the next version, which publishes by itself when it has its rows', async () => {
    await steps(async (day) => {
      await assert.rejects(day.publish(await afterHundred(day, 10)), held);
      await write(110);
      assert.equal((await day.publish(await stage(day, 'c'))).loaded, 110);
    });
    assert.deepEqual(await loads(), ['replaced', 'abandoned', 'published']);
    assert.equal((await delivery())?.['held'], null);
    await assertConsistent(source.database.pool);
  });

  it('is held anew when it is reprocessed, and goes with a discard', async () => {
    await steps(async (day) => {
      await assert.rejects(day.publish(await afterHundred(day, 10)), held);
      const again = await stage(day, 'c', true);
      assert.equal((await delivery())?.['held'], null);
      await assert.rejects(day.publish(again), held);
      await day.discard('a legal request');
    });
    assert.deepEqual([await visible(), (await delivery())?.['held']], [0, null]);
    await assertConsistent(source.database.pool);
  });

  it('is published where the source says that it may lose everything', async () => {
    await source.drop();
    source = await megaphoneSource({ shrinkLimit: '100%' });
    await steps(async (day) => {
      assert.equal((await day.publish(await afterHundred(day, 1))).loaded, 1);
    });
  });
});

describe('versions of any size, accepted or not', function () {
  this.timeout(120_000);

  type Act = { readonly do: 'load'; readonly rows: number } | { readonly do: 'accept' | 'load again' };
  const act: fc.Arbitrary<Act> = fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({ do: fc.constant('load' as const), rows: fc.integer({ min: 1, max: 40 }) }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('accept' as const, 'load again' as const) }) },
  );

  it('show readers nothing that has shrunk and that nobody accepted, and hold nothing else', () =>
    fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 3, maxLength: 9 }), async (acts) => {
        const source = await megaphoneSource();
        try {
          await withSteps(source, 'metrics', date, async (day) => {
            let visible = 0;
            let lying = 0;
            let held: { readonly loadId: string; readonly rows: number } | undefined;
            let number = 0;
            const load = async (rows: number, force: boolean): Promise<void> => {
              const lines = Array.from({ length: rows }, (_, id) => `${JSON.stringify({ id: `${id}` })}\n`);
              await source.bucket.put(`${prefix}metrics-day-${date}.json.gz`, gzipSync(lines.join('')));
              lying = rows;
              const plan = await day.plan(`load-${++number}`, force);
              if (!plan.published) await day.stageAll(plan);
              const published = await day.publish(plan).then(
                () => true,
                (error: { type?: string }) => {
                  assert.equal(error.type, 'HeldForReview');
                  return false;
                },
              );
              assert.equal(published, !(visible > 0 && (visible - rows) / visible > 0.5));
              if (published) visible = rows;
              // What readers see already takes no place: whoever has asked for it drops what is held.
              if (!plan.published) held = published ? undefined : { loadId: plan.loadId, rows };
            };
            for (const next of acts) {
              if (next.do === 'load') await load(next.rows, false);
              else if (next.do === 'load again' && lying > 0) await load(lying, true);
              else if (next.do === 'accept' && held) {
                await day.publish(held, 'the test says so');
                visible = held.rows;
                held = undefined;
              }
              const [row] = await source.rows(
                'select (select count(*) from experiments.metric) as n, held from landfall.delivery',
              );
              if (!row) continue;
              assert.deepEqual([Number(row['n']), row['held'] !== null], [visible, held !== undefined]);
            }
          });
        } finally {
          await source.drop();
        }
      }),
      { numRuns: 10 },
    ));
});

describe('the limit of what a version may lose', () => {
  const limit = fc.double({ min: 0, max: 1, noNaN: true });
  const rows = fc.integer({ min: 0, max: 1_000_000 });

  it('holds nothing that has as many rows, or that follows nothing', () => {
    fc.assert(
      fc.property(rows, rows, limit, (before, more, share) => {
        assert.ok(!hasShrunk(before, before + more, share));
        assert.ok(!hasShrunk(0, more, share));
        assert.ok(!hasShrunk(before, more, 1));
      }),
    );
  });

  it('holds whatever has fewer rows than one that it holds', () => {
    fc.assert(
      fc.property(rows, rows, rows, limit, (before, after, fewer, share) => {
        if (hasShrunk(before, after, share)) assert.ok(hasShrunk(before, Math.max(0, after - fewer), share));
      }),
    );
  });
});
