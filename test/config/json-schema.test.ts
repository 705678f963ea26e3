import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';

import { z } from 'zod';

import { readDocument } from '../../config/document.js';
import { configJsonSchema } from '../../config/schema.js';
import { example, exampleEnv } from './example.js';

describe('the JSON Schema of landfall.yaml', () => {
  const schema = z.fromJSONSchema(configJsonSchema());
  const accepts = (text: string, env: Record<string, string> = exampleEnv): boolean =>
    schema.safeParse(readDocument('landfall.yaml', text, env).value).success;

  it('accepts the example', () => {
    assert(accepts(example));
  });

  it('accepts references wherever a text may stand', () => {
    const env = { EVERY: '${EVERY}', BUCKET: '${BUCKET}' };
    const text = example.replace('15 minutes', '${EVERY}').replace('bucket: b', 'bucket: ${BUCKET}');
    assert(accepts(text, { ...exampleEnv, ...env }));
  });

  it('refuses what the configuration would refuse', () => {
    assert(!accepts(example.replace('15 minutes', '15')));
    assert(!accepts(example.replace('pollEvery', 'pollevery')));
    assert(!accepts(example.replace('[decisions, events]', '[decision]')));
  });

  it('describes every setting', () => {
    const bare: string[] = [];
    const look = (level: object, path: string): void => {
      for (const [key, value] of Object.entries(level)) {
        if (typeof value !== 'object' || value === null) continue;
        if (key === 'properties') {
          for (const [name, setting] of Object.entries(value as Record<string, { description?: string }>)) {
            if (setting.description === undefined) bare.push(`${path}${name}`);
          }
        }
        look(value as object, key === 'properties' ? path : `${path}${key}.`);
      }
    };
    look(configJsonSchema(), '');
    assert.deepEqual(bare, []);
  });

  it('lies in landfall.schema.json, up to date', async () => {
    const file = await readFile(new URL('../../landfall.schema.json', import.meta.url), 'utf8');
    assert.deepEqual(
      JSON.parse(file),
      configJsonSchema(),
      'Write it anew: npm run --silent landfall -- config-schema > landfall.schema.json',
    );
  });
});
