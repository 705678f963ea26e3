import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import puppeteer, { type Browser, type Page } from 'puppeteer-core';

import { eventually } from '../support/eventually.js';

export interface OpenBrowser {
  readonly browser: Browser;
  readonly close: () => Promise<void>;
}

/** A headless Chromium of one's own, with nothing remembered. */
export async function openBrowser(program: string): Promise<OpenBrowser> {
  const profile = await mkdtemp(join(tmpdir(), 'landfall-test-browser-'));
  const browser = await puppeteer.launch({
    executablePath: program,
    userDataDir: profile,
    // Over a pipe it ends when this process does, SIGKILL included.
    pipe: true,
    // A large window in a picture of 1280 × 900, so that most of a page is in it.
    defaultViewport: { width: 1600, height: 1125, deviceScaleFactor: 0.8 },
    args: [
      '--headless',
      '--disable-gpu',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      // Chromium refuses its sandbox to root.
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
    ],
  });
  return {
    browser,
    close: async () => {
      await browser.close();
      await rm(profile, { recursive: true, force: true });
    },
  };
}

/** What a person reads on a page, in its frames too. */
export async function textOf(page: Page): Promise<string> {
  const texts = await Promise.all(
    page.frames().map(async (frame) => {
      const text: unknown = await frame.evaluate('document.body.innerText').catch(() => '');
      return typeof text === 'string' ? text : '';
    }),
  );
  return texts.join('\n');
}

/** Waits until a page says all of this. */
export async function says(page: Page, ...wanted: readonly (string | RegExp)[]): Promise<void> {
  await eventually(
    async () => {
      const text = await textOf(page);
      const missing = wanted.find((what) =>
        typeof what === 'string' ? !text.includes(what) : !what.test(text),
      );
      if (missing !== undefined) throw new Error(`'${String(missing)}' is not in\n${text.slice(0, 4_000)}`);
      return true;
    },
    { timeoutMs: 20_000, everyMs: 200, what: page.url() },
  );
}
