import { chosenProgram, findOnPath, isExecutable } from './commands.js';
import { installInCi } from './debian.js';
import type { Progress } from './progress.js';

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
  await installInCi('chromium', 'Installing Chromium (about a minute, once)', progress);
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
