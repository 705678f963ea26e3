/** One chaos run: the vendors deliver while components are killed, frozen and reconfigured and people send signals. */

import { setTimeout } from 'node:timers/promises';

import { eventually } from '../support/eventually.js';
import { randomNumbers } from '../support/random.js';
import { readContent, type Content } from './content.js';
import { sources, type Exports } from './exports.js';
import type { Part } from './processes.js';
import { bringUp, usual, type World } from './world.js';

export interface RunOptions {
  readonly exports: Exports;
  readonly kills: number;
  readonly seed: number;
  /** Milliseconds for which a component is frozen, at most. */
  readonly freezeFor: number;
  readonly say: (line: string) => void;
}

export interface RunResult {
  readonly content: Content;
  readonly kills: number;
  readonly freezes: number;
  readonly signals: number;
  readonly reconfigurations: number;
  /** How processes of Landfall ended that nobody killed. */
  readonly endedByThemselves: readonly string[];
}

/** How long everything may take to land once nothing is disturbed any more. */
const patience = 300_000;
const signals = ['reprocess', 'pause', 'resume', 'skip', 'discard', 'accept'] as const;

/** Returns what is in the tables and the ledger once all has landed. Throws, with what is missing, where it does not. */
export async function run({ exports, kills, seed, freezeFor, say }: RunOptions): Promise<RunResult> {
  const random = randomNumbers(seed);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  const world = await bringUp();
  const count = { kills: 0, freezes: 0, signals: 0, reconfigurations: 0 };
  const signalled = new Set<string>();
  // The delivery of the source whose mask rules change.
  const [masksChange = ''] = exports.final;
  try {
    const delivering = Promise.all(
      exports.steps.map((steps) => deliver(world, steps, kills > 0 ? random : undefined)),
    );
    const background: Promise<unknown>[] = [];
    while (count.kills < kills) {
      await setTimeout(300 + random() * 2_500);
      const chance = random();
      if (chance < 0.7) {
        const part = pick(world.parts);
        say(`kill ${part.name}`);
        count.kills += 1;
        await part.killAndStart();
      } else if (chance < 0.8) {
        const part = pick(world.parts);
        say(`freeze ${part.name}`);
        count.freezes += 1;
        await freeze(part, freezeFor * (0.1 + 0.9 * random()));
      } else if (chance < 0.92) {
        const id = await pickDelivery(world, random);
        if (id === undefined) continue;
        const signal = pick(signals);
        say(`signal ${signal} ${id}`);
        count.signals += 1;
        signalled.add(id);
        // Temporal or Postgres may be away: then the command fails, and says so.
        background.push(world.command(signal, id, '--reason', 'chaos').catch(() => undefined));
      } else {
        count.reconfigurations += 1;
        const masked = random() < 0.4;
        say(masked ? 'change the mask rules' : 'change the configuration');
        await world.configure({
          filesInFlight: 1 + Math.floor(2 * random()),
          readers: 1 + Math.floor(2 * random()),
          masked,
        });
        // As in a rolling update: one worker has the new configuration, the other still the old one.
        if (masked) {
          signalled.add(masksChange);
          await world.command('setup').catch(() => undefined);
        }
        await pick(world.workers).killAndStart();
      }
    }
    await Promise.all(background);
    await delivering;
    if (count.reconfigurations > 0) await useUsual(world);
    for (const id of signalled) await repair(world, id);
    const content = await eventually(() => readContent(world.pool, exports), {
      ...{ timeoutMs: patience, everyMs: 500, what: 'everything to land' },
    });
    return {
      content: await atRest(world, exports, content),
      ...count,
      endedByThemselves: endedByThemselves(world),
    };
  } catch (error) {
    say(`it failed. Its deliveries:\n${await describe(world)}`);
    throw error;
  } finally {
    await world.end();
  }
}

async function deliver(world: World, steps: Exports['steps'][number], random?: () => number): Promise<void> {
  for (const step of steps) {
    if (random) await setTimeout(random() * 1_500);
    await world.take(step);
  }
}

async function freeze(part: Part, milliseconds: number): Promise<void> {
  await part.freeze();
  try {
    await setTimeout(milliseconds);
  } finally {
    await part.thaw();
  }
}

async function pickDelivery({ pool }: World, random: () => number): Promise<string | undefined> {
  const known = await pool
    .query<{ id: string }>('select id from landfall.delivery where source = any($1) order by id', [
      Object.values(sources),
    ])
    .catch(() => undefined);
  return known?.rows[Math.floor(random() * known.rows.length)]?.id;
}

/** The configuration as it was at first, for all. */
async function useUsual(world: World): Promise<void> {
  await world.configure(usual);
  await eventually(() => world.command('setup').then(() => true), {
    ...{ timeoutMs: patience, everyMs: 1_000, what: 'setup to succeed' },
  });
  for (const worker of world.workers) await worker.killAndStart();
}

/** Whatever people have asked for, the delivery is loaded from the store in the end. */
async function repair(world: World, id: string): Promise<void> {
  await world.command('resume', id, '--reason', 'the end of the chaos').catch(() => undefined);
  await eventually(
    () => world.command('reprocess', id, '--reason', 'the end of the chaos').then(() => true),
    {
      ...{ timeoutMs: patience, everyMs: 1_000, what: `${id} to be reprocessed` },
    },
  );
}

/** What people asked for last may replace the content once more. It stays the same when twice in a row nothing changed. */
async function atRest(world: World, exports: Exports, first: Content): Promise<Content> {
  let content = first;
  for (let same = 0; same < 4;) {
    await setTimeout(1_000);
    const next = await eventually(() => readContent(world.pool, exports), {
      ...{ timeoutMs: patience, everyMs: 500, what: 'everything to land again' },
    });
    same = JSON.stringify(next) === JSON.stringify(content) ? same + 1 : 0;
    content = next;
  }
  return content;
}

function endedByThemselves({ workers, receiver }: World): readonly string[] {
  return [...workers, receiver].flatMap((part) => part.endedByItself());
}

async function describe({ pool }: World): Promise<string> {
  const { rows } = await pool
    .query<{ line: string }>(
      `select concat_ws(' | ', id, finality, reason, paused) as line from landfall.delivery
       where finality <> 'final' order by id`,
    )
    .catch((error: unknown) => ({ rows: [{ line: String(error) }] }));
  return rows.map(({ line }) => `  ${line}`).join('\n');
}

/** Where two contents differ, as lines. */
export function differences(expected: Content, found: Content): readonly string[] {
  return [...new Set([...Object.keys(expected), ...Object.keys(found)])]
    .filter((name) => expected[name] !== found[name])
    .map((name) => `${name}:\n  undisturbed: ${expected[name] ?? '-'}\n  disturbed:   ${found[name] ?? '-'}`);
}
