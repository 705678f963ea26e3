/** How decisions about a day put it. Pure. */

import type { Decision } from '../completion.js';

export function fail(reason: string): Decision {
  return { step: 'giveUp', as: 'failed', reason };
}

/** `1234 files in 2026/11/20/`; no file where there is none. */
export function filesIn(count: number, folder: string): string {
  if (count === 0) return `no file in ${folder}`;
  return `${count} ${count === 1 ? 'file' : 'files'} in ${folder}`;
}

export function first(names: readonly string[], all: number): string {
  return `${names.join(', ')}${all > names.length ? ', …' : ''}`;
}

export function were(count: number): string {
  return count === 1 ? 'was' : 'were';
}
