import { inCache } from './cache.js';
import { chosenProgram, findOnPath, run } from './commands.js';
import { cachedName, goInstall, type GoProgram } from './go-install.js';
import type { Progress } from './progress.js';
import { provision } from './provision.js';
import { sdkDownload } from './sdk-download.js';

/** The newest release that "go install" can build: later ones depend on a module that has no version. */
const PROGRAM: GoProgram = {
  name: 'temporal',
  package: 'github.com/temporalio/cli/cmd/temporal',
  version: '1.5.1',
  line: 'Building the Temporal dev server with Go (about 2.5 minutes, once)',
};

/** The path of the `temporal` program, which holds the dev server and its Web UI. */
export async function temporalCli(progress: Progress): Promise<string> {
  const chosen = await chosenProgram('TEMPORAL_CLI');
  if (chosen !== undefined) return chosen;
  const name = cachedName(PROGRAM);
  return provision(
    'The Temporal dev server',
    [
      { where: '"temporal" on PATH', find: onPath },
      { where: 'in the cache', find: () => inCache(name) },
      {
        where: "the Temporal SDK's download",
        find: () =>
          sdkDownload(
            { kind: 'dev-server', title: 'the Temporal dev server', version: PROGRAM.version },
            name,
            progress,
          ),
      },
      { where: 'a build with Go', find: () => goInstall(PROGRAM, progress) },
    ],
    [
      'set TEMPORAL_ADDRESS to a Temporal server that is already running',
      'install the temporal CLI (https://docs.temporal.io/cli) so that it is on PATH',
      'set TEMPORAL_CLI to the path of a temporal binary',
      'install Go 1.24 or newer, so that it can be built here',
      'connect to the internet, so that it can be downloaded',
    ],
  );
}

async function onPath(): Promise<string | undefined> {
  const path = await findOnPath('temporal');
  if (path === undefined) return undefined;
  const tried = await run(path, ['--version'], { timeoutMs: 20_000 });
  if (!tried.ok) throw new Error(tried.failure);
  return path;
}
