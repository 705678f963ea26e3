import { existsSync, readFileSync } from 'node:fs';

/** The version in package.json, which lies one folder up in the sources and two up when built. */
export function version(): string {
  for (const path of ['../package.json', '../../package.json']) {
    const file = new URL(path, import.meta.url);
    if (existsSync(file)) return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
  }
  return 'unknown';
}
