/** Keeps a history that happened somewhere: `temporal workflow show … -o json | npx tsx test/replay/keep.ts <name>`. */

import { writeFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';

import { writeHistory } from './scrub.js';

const [name] = process.argv.slice(2);
if (name === undefined) throw new Error('Say under which name it is to be kept in test/histories.');
await writeFile(
  new URL(`../histories/${name}.json`, import.meta.url),
  writeHistory(await text(process.stdin)),
);
