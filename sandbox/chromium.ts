import { userInfo } from 'node:os';
import { chosenProgram, findOnPath, isExecutable, run } from './commands.js';
import { whileWorking, type Progress } from './progress.js';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const MACOS_APPLICATIONS = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];

/**
 * A Chromium or Chrome that can be driven: CHROMIUM_PATH, else what is installed. In CI, as root on a Debian
 * system, it is installed where it is missing. Undefined where there is none.
 */
export async function chromium(progress: Progress): Promise<string | undefined> {
  const chosen = await chosenProgram('CHROMIUM_PATH');
  if (chosen !== undefined) return chosen;
  const installed = await installedChromium();
  if (installed !== undefined) return installed;
  if (process.env['CI'] !== 'true' || userInfo().uid !== 0) return undefined;
  const apt = await findOnPath('apt-get');
  if (apt === undefined) return undefined;
  const done = await whileWorking(progress, 'Installing Chromium (about a minute, once)', aptInstall(apt));
  if (!done.ok) progress(`Chromium could not be installed: ${done.failure}`);
  return installedChromium();
}

async function installedChromium(): Promise<string | undefined> {
  for (const name of NAMES) {
    const path = await findOnPath(name);
    if (path !== undefined) return path;
  }
  for (const path of MACOS_APPLICATIONS) {
    if (await isExecutable(path)) return path;
  }
  return undefined;
}

async function aptInstall(apt: string): ReturnType<typeof run> {
  const options = { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }, timeoutMs: 600_000 };
  const updated = await run(apt, ['update'], options);
  if (!updated.ok) return updated;
  return run(apt, ['install', '-y', '--no-install-recommends', 'chromium'], options);
}
