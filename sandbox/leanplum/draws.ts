import { createHash } from 'node:crypto';

/** Made-up numbers, one after the other. */
export interface Draws {
  /** Whole, from 0 up to and without `bound`, which is at most 2^32. */
  readonly below: (bound: number) => number;
  readonly pick: <T>(choices: readonly [T, ...T[]]) => T;
  /** Signed, of 64 bits: almost always beyond 2^53, and every second one below 0. */
  readonly id: () => bigint;
}

/** They follow from the name alone, on every machine. */
export function drawsOf(name: string): Draws {
  let state = createHash('md5').update(name).digest().readUInt32LE(0);
  /** 32 bits, by the generator that is known as mulberry32. */
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const below = (bound: number): number => Math.floor((next() / 2 ** 32) * bound);
  return {
    below,
    pick: (choices) => choices[below(choices.length)] ?? choices[0],
    id: () => BigInt.asIntN(64, (BigInt(next()) << 32n) | BigInt(next())),
  };
}
