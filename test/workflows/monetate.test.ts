import assert from 'node:assert/strict';

import { ApplicationFailure } from '@temporalio/common';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';

import type { DeliveryInput, DeliveryResult } from '../../model/control.js';
import { addDays, dayOf, startOfDay } from '../../model/day.js';
import { dayFolder, parseKey } from '../../vendors/monetate/layout.js';
import { monetate } from '../../vendors/monetate/vendor.js';
import type { SeenFile } from '../../vendors/vendor.js';
import { workflowBundle } from '../support/landfall.js';
import { timeSkipping } from '../support/temporal.js';
import { fakeLandfall, type FakeLandfall } from './fake-landfall.js';

const minute = 60_000;
const hour = 60 * minute;
const quarter = 15 * minute;

/** A file of the vendor's, by hours since the day began. */
interface Written {
  /** When its interval begins. */
  readonly interval: number;
  /** When it is whole. Default: 5 minutes after its interval. */
  readonly whole?: number;
  /** When the first bytes of it were there. Default: when it is whole. */
  readonly begun?: number;
}

/** A file for each quarter of an hour. */
function quarters(from: number, to: number): Written[] {
  return Array.from({ length: (to - from) * 4 }, (_, index) => ({ interval: from + index / 4 }));
}
/** Sessions may come for 36.5 hours; the vendor writes on. */
const allDay = quarters(0, 38);

describe('the workflow of a Monetate day', function () {
  this.timeout(180_000);
  let environment: TestWorkflowEnvironment;
  let landfall: FakeLandfall;
  let deliveries = 0;
  let date: string;
  /** When the day begins, in epoch ms: just now by the test server's clock. */
  let begins: number;
  /** When each file was taken first, by hours since then. */
  let takenAt: Map<string, number>;
  let lastLook: number;

  beforeEach(async () => {
    environment = await timeSkipping();
    landfall = fakeLandfall(() => environment);
    date = addDays(dayOf(await environment.currentTimeMs()), 1);
    begins = startOfDay(date);
    takenAt = new Map();
    await environment.sleep(begins - (await environment.currentTimeMs()));
  });
  afterEach(() => environment.teardown());

  const hours = (instant: number): number => (instant - begins) / hour;
  const wholeAt = ({ interval, whole }: Written): number => whole ?? interval + 1 / 4 + 5 / 60;

  function keyOf({ interval }: Written): string {
    const instant = begins + interval * hour;
    const name = new Date(instant).toISOString().replaceAll(/[-:]/g, '');
    return `${dayFolder(dayOf(instant))}${name}_PT15M-1.json.gz`;
  }

  /** What the store shows: a file that is being uploaded grows and is always new. */
  function seen(written: readonly Written[], now: number): SeenFile[] {
    return written
      .filter((file) => (file.begun ?? wholeAt(file)) <= hours(now))
      .map((file) => {
        const modified = Math.min(now, begins + wholeAt(file) * hour);
        const size = Math.round(modified / 1_000);
        return { key: keyOf(file), size, modified, version: `${size}-${modified}` };
      });
  }

  interface Life {
    readonly written: readonly Written[];
    /** From when to when nobody looks, in hours. */
    readonly down?: readonly [number, number];
    /** Hours until the next day's workflow has loaded what is whole. Default: half an hour. */
    readonly neighbour?: number;
    readonly input?: Partial<DeliveryInput>;
  }

  async function live({ written, down, neighbour = 0.5, input }: Life): Promise<DeliveryResult> {
    const id = `visits-${++deliveries}/${date}`;
    const delivery = { id, source: 'visits', type: 'sessions', date };
    landfall.sight = (now, at) => {
      const look = monetate.look(delivery, at);
      const files = seen(written, now);
      for (const prefix of look.prefixes) {
        look.see({ files: files.filter(({ key }) => key.slice(0, 11) === prefix), folders: ['2026/'] });
      }
      const others = look.others?.() ?? [];
      return look.sighting(
        new Map(),
        others.filter(({ modified }) => modified > now - neighbour * hour).length,
      );
    };
    landfall.during.look = async () => {
      const at = hours(await environment.currentTimeMs());
      lastLook = at;
      if (!down || at < down[0] || at >= down[1]) return;
      throw ApplicationFailure.create({ message: 'nobody looks', nextRetryDelay: (down[1] - at) * hour });
    };
    landfall.during.plan = async () => {
      const now = await environment.currentTimeMs();
      const { upTo } = landfall.plans.at(-1)!;
      for (const { key, modified } of seen(written, now)) {
        const own = parseKey(key)?.date === date;
        if (own && (upTo === undefined || modified <= upTo) && !takenAt.has(key))
          takenAt.set(key, hours(now));
      }
    };
    const taskQueue = `monetate-${deliveries}`;
    const worker = await Worker.create({
      connection: environment.nativeConnection,
      taskQueue,
      workflowBundle: await workflowBundle(),
      activities: landfall.activities,
    });
    const handle = await environment.client.workflow.start('monetate', {
      taskQueue,
      workflowId: id,
      workflowExecutionTimeout: '60 days',
      args: [
        {
          ...{ ...delivery, vendor: 'monetate', pollEvery: quarter },
          ...{ deadline: begins + 96 * hour, closesAt: begins + 36.5 * hour, settleFor: hour },
          ...{ inFlight: 2, heartbeatTimeout: 20_000, ...input },
        } satisfies DeliveryInput,
      ],
    });
    const result = (await worker.runUntil(() => handle.result())) as DeliveryResult;
    return result;
  }

  const own = (written: readonly Written[]): Written[] => written.filter(({ interval }) => interval < 24);
  /** The longest time, in hours, from a file's being whole to its load. */
  const longest = (written: readonly Written[]): number =>
    Math.max(...own(written).map((file) => (takenAt.get(keyOf(file)) ?? Infinity) - wholeAt(file)));
  const near = (value: number, wanted: number): void =>
    assert.ok(value >= wanted - 0.01 && value < wanted + 0.3, `at hour ${value}, wanted ${wanted}`);

  it('loads files as they come, and is final at 13:30 of the next day', async () => {
    const result = await live({ written: allDay });
    assert.equal(result.finality, 'final');
    assert.match(result.reason, /brought nothing new: readers see 96 files .* and 50 files .* may be in/);
    near(lastLook, 37.5);
    assert.equal(takenAt.size, 96);
    assert.ok(longest(allDay) < 0.76, `${longest(allDay)} hours`);
    assert.ok(landfall.plans.length <= 97, `${landfall.plans.length} loads`);
    // One every quarter of an hour, and one after each load.
    const looks = landfall.calls.filter((call) => call === 'look').length;
    assert.ok(looks < 37.5 * 4 + 97 + 4, `${looks} looks`);
    assert.deepEqual(
      new Set(landfall.changes.flatMap(({ finality }) => finality ?? [])),
      new Set(['waiting', 'loading', 'final']),
    );
  });

  it('takes no file that is still growing', async () => {
    const slow = { interval: 10, begun: 10.3, whole: 13.1 };
    const written = [...allDay.filter(({ interval }) => interval !== 10), slow];
    await live({ written });
    assert.ok((takenAt.get(keyOf(slow)) ?? 0) > 13.1);
    assert.ok(longest(written) < 0.76, 'the others do not wait for it');
  });

  it('goes on after a night in which the worker was down', async () => {
    await live({ written: allDay, down: [21, 33] });
    near(lastLook, 37.5);
    assert.equal(takenAt.size, 96);
    const during = [...takenAt.values()].filter((at) => at > 21.1 && at < 33);
    assert.deepEqual(during, []);
    assert.ok(Math.max(...takenAt.values()) < 33.3, 'all that came meanwhile, in one go');
  });

  it('is final soon after a worker comes back that was down when the day closed', async () => {
    const result = await live({ written: allDay, down: [20, 60] });
    assert.equal(result.finality, 'final');
    assert.equal(takenAt.size, 96);
    assert.ok(lastLook >= 60 && lastLook < 60.5, `at hour ${lastLook}`);
  });

  it('waits for the file in which a session of twelve hours ended, when it comes late', async () => {
    const late = { interval: 36.25, whole: 38 };
    await live({ written: [...allDay.filter(({ interval }) => interval !== late.interval), late] });
    // It was not there at 13:30; what came until then stood still. So the day was final without it.
    near(lastLook, 37.5);
    const atOnce = { ...late, whole: 37.4 };
    landfall.ledger = { finality: 'waiting', published: false };
    takenAt.clear();
    await live({ written: [...allDay.filter(({ interval }) => interval !== late.interval), atOnce] });
    assert.ok(lastLook >= 37.9, `loaded by the next day's at 37.9, final at ${lastLook}`);
  });

  it('waits for the next day while that one is loaded slowly', async () => {
    await live({ written: allDay, neighbour: 5 });
    near(lastLook, 36.25 + 1 / 3 + 5);
  });

  it('has no sessions where no folder of it comes, and is final then', async () => {
    const result = await live({ written: quarters(24, 38) });
    assert.equal(result.finality, 'final');
    assert.match(result.reason, /There is no file in .*, and other days show/);
    near(lastLook, 37.5);
    assert.equal(takenAt.size, 0);
  });

  it('loads late files of its own folder, each after it stood still', async () => {
    const late = [
      { interval: 8, whole: 30 },
      { interval: 9, whole: 37.3 },
    ];
    const written = [...allDay.filter(({ interval }) => interval !== 8 && interval !== 9), ...late];
    await live({ written });
    assert.equal(takenAt.size, 96);
    near(lastLook, 37.5);
  });

  it('fails at its deadline for a file that never stands still, and names it', async () => {
    const written = [...allDay, { interval: 23.5, begun: 24, whole: 1_000 }].filter(
      ({ interval, whole }) => interval !== 23.5 || whole !== undefined,
    );
    const result = await live({ written });
    assert.equal(result.finality, 'failed', result.reason);
    assert.match(result.reason, /1 file in .* changed up to the last look.*T233000\.000Z_PT15M-1\.json\.gz/);
    assert.equal(takenAt.size, 95);
    near(lastLook, 96);
  });
});
