import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deleteCluster } from '../../sandbox/postgres-place.js';

/** Runs `body` with a temporary directory that any account can reach, and deletes it afterwards. */
export async function inTemporaryDirectory<T>(body: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'landfall-test-'));
  try {
    await chmod(directory, 0o755);
    return await body(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Runs `body` with a data directory for Postgres, and deletes the data afterwards, wherever they went. */
export function withDataDirectory<T>(body: (dataDir: string) => Promise<T>): Promise<T> {
  return inTemporaryDirectory(async (directory) => {
    const dataDir = join(directory, 'data');
    try {
      return await body(dataDir);
    } finally {
      await deleteCluster(dataDir);
    }
  });
}

/** Runs `body` with environment variables set, or unset where undefined, and puts them back. */
export async function withEnvironment<T>(
  variables: Readonly<Record<string, string | undefined>>,
  body: () => T | Promise<T>,
): Promise<T> {
  const before = Object.keys(variables).map((name) => [name, process.env[name]] as const);
  set(Object.entries(variables));
  try {
    return await body();
  } finally {
    set(before);
  }
}

function set(variables: readonly (readonly [string, string | undefined])[]): void {
  for (const [name, value] of variables) {
    if (value === undefined) Reflect.deleteProperty(process.env, name);
    else process.env[name] = value;
  }
}
