/**
 * "A JSON file that contains a list of all uploaded files": no more is public, so the sandbox writes it in every form that
 * these words can mean.
 */

export const manifestShapes = ['names', 'keys', 'addresses', 'objects', 'sizes', 'wrapped'] as const;

/**
 * - `names`: `["export-…-output-0"]`
 * - `keys`: `["20190508/export-…-output-0"]`
 * - `addresses`: `["s3://my-export/20190508/export-…-output-0"]`
 * - `objects`: `[{"fileName":"export-…-output-0"}]`
 * - `sizes`: `[{"key":"20190508/export-…-output-0","size":36590}]`, in bytes
 * - `wrapped`: `{"files":["export-…-output-0"]}`
 */
export type ManifestShape = (typeof manifestShapes)[number];

export interface ListedShard {
  readonly key: string;
  readonly bytes: { readonly length: number };
}

export function manifestText(shards: readonly ListedShard[], shape: ManifestShape): string {
  const entries = shards.map(({ key, bytes }) => {
    const name = key.slice(key.lastIndexOf('/') + 1);
    if (shape === 'keys') return key;
    if (shape === 'addresses') return `s3://my-export/${key}`;
    if (shape === 'objects') return { fileName: name };
    if (shape === 'sizes') return { key, size: bytes.length };
    return name;
  });
  return JSON.stringify(shape === 'wrapped' ? { files: entries } : entries);
}
