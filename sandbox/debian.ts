import { userInfo } from 'node:os';
import { findOnPath, run } from './commands.js';
import { whileWorking, type Progress } from './progress.js';

/**
 * Installs a package of Debian's where that is nobody's own machine: in CI, as root, where there is apt. Elsewhere
 * nothing happens, and a failure is only told.
 */
export async function installInCi(name: string, line: string, progress: Progress): Promise<void> {
  if (process.env['CI'] !== 'true' || userInfo().uid !== 0) return;
  const apt = await findOnPath('apt-get');
  if (apt === undefined) return;
  const done = await whileWorking(progress, line, aptInstall(apt, name));
  if (!done.ok) progress(`${name} could not be installed: ${done.failure}`);
}

async function aptInstall(apt: string, name: string): ReturnType<typeof run> {
  const options = { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }, timeoutMs: 600_000 };
  const updated = await run(apt, ['update'], options);
  if (!updated.ok) return updated;
  return run(apt, ['install', '-y', '--no-install-recommends', name], options);
}
