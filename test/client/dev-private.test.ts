import assert from 'node:assert/strict';
import { chown, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { makePrivateFolder } from '../../client/dev/private-folder.js';
import { skip } from '../support/skip.js';

describe('the folder of landfall dev', () => {
  let folder: string;
  const modeOf = async (...path: string[]): Promise<string> =>
    ((await stat(join(folder, ...path))).mode & 0o777).toString(8);

  beforeEach(async () => {
    folder = join(await mkdtemp(join(tmpdir(), 'landfall-private-')), '.landfall');
  });
  afterEach(() => rm(join(folder, '..'), { recursive: true, force: true }));

  it('and what is made in it are for this user alone', async () => {
    const openAgain = await makePrivateFolder(folder);
    try {
      await mkdir(join(folder, 'sftp'));
      await writeFile(join(folder, 'landfall.yaml'), 'secret');
    } finally {
      openAgain();
    }
    assert.deepEqual(
      [await modeOf(), await modeOf('sftp'), await modeOf('landfall.yaml')],
      ['700', '700', '600'],
    );
    await writeFile(join(folder, 'made-later'), '', { mode: 0o640 });
    assert.equal(await modeOf('made-later'), '640', 'files are made as before');
  });

  it('is closed with what an earlier start has left open in it', async () => {
    await mkdir(join(folder, 's3'), { recursive: true });
    await writeFile(join(folder, 'dev.json'), '{}', { mode: 0o644 });
    (await makePrivateFolder(folder))();
    assert.deepEqual([await modeOf(), await modeOf('s3'), await modeOf('dev.json')], ['700', '700', '600']);
  });

  it('stays passable for the account whose cluster an earlier start as root has left in it', async function () {
    if (process.getuid?.() !== 0) skip(this, 'only root may give files to another account.');
    await mkdir(join(folder, 'postgres'), { recursive: true });
    await writeFile(join(folder, 'postgres', 'PG_VERSION'), '18');
    await chown(join(folder, 'postgres', 'PG_VERSION'), 65_534, 65_534);
    (await makePrivateFolder(folder))();
    assert.equal(await modeOf(), '711');
  });
});
