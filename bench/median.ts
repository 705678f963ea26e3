import { writeTable } from '../client/table.js';

export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return ((sorted[(sorted.length - 1) >> 1] ?? 0) + (sorted[sorted.length >> 1] ?? 0)) / 2;
}

/** `7.25–8.94` */
export function spread(numbers: readonly number[]): string {
  return `${Math.min(...numbers).toFixed(2)}–${Math.max(...numbers).toFixed(2)}`;
}

/** Seconds of each way, over all runs. */
export function printSeconds(ways: ReadonlyMap<string, readonly number[]>): void {
  const table = writeTable(
    [...ways],
    [
      { title: 'WHAT', cell: ([what]) => what },
      { title: 'SECONDS', cell: ([, seconds]) => median(seconds).toFixed(2) },
      { title: 'MIN–MAX', cell: ([, seconds]) => spread(seconds) },
    ],
  );
  console.log(`\n${table}`);
}
