import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { runCommandLine } from '../../client/program.js';

export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A directory with a landfall.yaml, and the command line as it behaves there. */
export interface Desk {
  readonly cwd: string;
  readonly landfall: (...args: string[]) => Promise<Outcome>;
  readonly leave: () => Promise<void>;
}

export async function openDesk(yaml?: string, env: Record<string, string> = {}): Promise<Desk> {
  const cwd = await mkdtemp(join(tmpdir(), 'landfall-test-desk-'));
  if (yaml !== undefined) await writeFile(join(cwd, 'landfall.yaml'), yaml);
  return {
    cwd,
    landfall: async (...args) => {
      let out = '';
      let err = '';
      const code = await runCommandLine(args, {
        out: (text) => void (out += text),
        err: (text) => void (err += text),
        // Temporal's own configuration of whoever runs the tests is not ours.
        env: { HOME: cwd, ...env },
        cwd,
        width: undefined,
        watched: false,
      });
      return { code, out, err };
    },
    leave: () => rm(cwd, { recursive: true, force: true }),
  };
}

/** A configuration with one source, and nothing else unless `more` says so. */
export function yamlOf(source: string, more = ''): string {
  return `${more}
sources:
  ${source}:
    vendor: optimizely
    schema: experiments
    store: { type: s3, bucket: b, prefix: v1/, endpoint: "http://127.0.0.1:1", accessKeyId: k, secretAccessKey: s }
`;
}
