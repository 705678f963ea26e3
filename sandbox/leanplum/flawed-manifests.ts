/** Manifests that are not what they should be, each with what Landfall has to make of it. */

import type { ListedShard } from './manifest.js';

export interface FlawedManifest {
  /** What is wrong, to be said after "a manifest". */
  readonly title: string;
  readonly text: string;
  readonly outcome: ManifestOutcome;
}

/**
 * `unusable`: nobody can tell what it lists; the delivery fails when nothing better comes. Otherwise how many of the
 * listed shards are not there or not whole, and how many are there and not listed.
 */
export type ManifestOutcome =
  | { readonly is: 'unusable' }
  | { readonly is: 'usable'; readonly missing: number; readonly unlisted: number };

/** @param shards those of a JSON job, all there; at least two */
export function flawedManifests(shards: readonly ListedShard[]): readonly FlawedManifest[] {
  const keys = shards.map(({ key }) => key);
  const [first = ''] = keys;
  const json = JSON.stringify(keys);
  const sized = shards.map(({ key, bytes }) => ({ key, size: bytes.length }));
  const another = first.replace(/-[0-9a-f]{12}-output/, '-000000000000-output');
  const usable = (missing: number, unlisted: number): ManifestOutcome => ({
    is: 'usable',
    missing,
    unlisted,
  });
  const unusable: ManifestOutcome = { is: 'unusable' };
  const manifests: readonly (readonly [string, string, ManifestOutcome])[] = [
    ['that is empty', '', unusable],
    ['that is blank', '\n', unusable],
    ['that is cut off', json.slice(0, -10), unusable],
    ['of plain lines', `${keys.join('\n')}\n`, unusable],
    ['that is null', 'null', unusable],
    ['that holds no list', JSON.stringify({ files: keys.length }), unusable],
    ['with two lists', JSON.stringify({ uploaded: keys, others: keys }), unusable],
    [
      'whose entries name no file',
      JSON.stringify(shards.map(({ bytes }) => ({ size: bytes.length }))),
      unusable,
    ],
    ['whose entries are numbers', JSON.stringify(keys.map((_, number) => number)), unusable],
    ['with a list in its list', JSON.stringify([keys]), unusable],
    ['with two sizes of one file', JSON.stringify([...sized, { key: first, size: 1 }]), unusable],
    ['with a shard that is not there', JSON.stringify([...keys, first.replace(/0$/, '99')]), usable(1, 0)],
    ['with a file of another job', JSON.stringify([...keys, another]), usable(1, 0)],
    ['with a file that is no export', JSON.stringify([...keys, 'readme.txt']), usable(1, 0)],
    [
      'with a size that differs',
      JSON.stringify(sized.map((file) => (file.key === first ? { ...file, size: file.size + 1 } : file))),
      usable(1, 0),
    ],
    ['that leaves a shard out', JSON.stringify(keys.slice(1)), usable(0, 1)],
    ['that lists nothing', '[]', usable(0, keys.length)],
    ['that lists itself', JSON.stringify([...keys, first.replace(/-\d+$/, '-manifest')]), usable(0, 0)],
    ['that lists a shard twice', JSON.stringify([...keys, first]), usable(0, 0)],
  ];
  return manifests.map(([title, text, outcome]) => ({ title, text, outcome }));
}
