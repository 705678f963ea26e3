import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { cacheDirectory, cached, inCache } from '../../sandbox/cache.js';
import { silently } from '../../sandbox/progress.js';
import { inTemporaryDirectory, withEnvironment } from '../support/isolated.js';

const writing = (text: string) => async (workDirectory: string) => {
  const file = join(workDirectory, 'made');
  await writeFile(file, text);
  return file;
};

describe('the cache', () => {
  it('lies where LANDFALL_CACHE says, else below the home directory', async () => {
    await withEnvironment({ LANDFALL_CACHE: '/somewhere' }, () => {
      assert.equal(cacheDirectory(), '/somewhere');
    });
    await withEnvironment({ LANDFALL_CACHE: undefined, XDG_CACHE_HOME: undefined }, () => {
      assert.ok(cacheDirectory().startsWith(homedir()));
    });
  });

  it('keeps what was made, and makes it once', () =>
    inTemporaryDirectory(async (directory) => {
      assert.equal(await inCache('server-1', directory), undefined);
      const path = await cached('server-1', silently, writing('first'), directory);
      assert.equal(await cached('server-1', silently, writing('second'), directory), path);
      assert.equal(await inCache('server-1', directory), path);
      assert.equal(await readFile(path, 'utf8'), 'first');
      assert.deepEqual(await readdir(directory), ['server-1']);
    }));

  it('leaves nothing behind when the making fails, and makes it the next time', () =>
    inTemporaryDirectory(async (directory) => {
      const failing = async (workDirectory: string): Promise<string> => {
        await writeFile(join(workDirectory, 'made'), 'half a fi');
        throw new Error('the connection broke');
      };
      await assert.rejects(cached('server-1', silently, failing, directory), /the connection broke/);
      assert.deepEqual(await readdir(directory), []);
      await cached('server-1', silently, writing('whole'), directory);
    }));

  it('does not take for the whole what a killed process left unfinished', () =>
    inTemporaryDirectory(async (directory) => {
      await mkdir(join(directory, 'server-1.part-x7'));
      await writeFile(join(directory, 'server-1.part-x7', 'made'), 'half a fi');
      assert.equal(await inCache('server-1', directory), undefined);
      const path = await cached('server-1', silently, writing('whole'), directory);
      assert.equal(await readFile(path, 'utf8'), 'whole');
    }));

  it('lets one of two that want the same thing make it, while the other says that it waits', () =>
    inTemporaryDirectory(async (directory) => {
      let made = 0;
      const lines: string[] = [];
      const { promise: otherWaits, resolve: letGo } = withResolvers();
      const slow = async (workDirectory: string): Promise<string> => {
        made++;
        await otherWaits;
        return writing('once')(workDirectory);
      };
      const progress = (line: string): void => {
        lines.push(line);
        letGo();
      };
      const [one, other] = await Promise.all([
        cached('server-1', progress, slow, directory),
        cached('server-1', progress, slow, directory),
      ]);
      assert.equal(one, other);
      assert.equal(made, 1);
      assert.deepEqual(lines, ['Waiting for another process that is making server-1…']);
    }));

  it('breaks a lock that its holder no longer touches', () =>
    inTemporaryDirectory(async (directory) => {
      const lock = join(directory, 'server-1.lock');
      await writeFile(lock, '');
      const aMinuteAgo = new Date(Date.now() - 60_000);
      await utimes(lock, aMinuteAgo, aMinuteAgo);
      await cached('server-1', silently, writing('made'), directory);
      assert.deepEqual(await readdir(directory), ['server-1']);
    }));
});

/** Promise.withResolvers, which Node 20 does not have. */
function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve!: () => void;
  const promise = new Promise<void>((settle) => (resolve = settle));
  return { promise, resolve };
}
