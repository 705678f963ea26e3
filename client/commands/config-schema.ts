import type { Command } from 'commander';

import type { CommonOptions, Run } from '../session.js';
import { createCommand } from './command.js';

export function configSchemaCommand(run: Run): Command {
  return createCommand({
    name: 'config-schema',
    group: 'Look',
    summary: 'the JSON Schema of landfall.yaml, for editors',
    description:
      "Prints the JSON Schema of landfall.yaml. An editor uses it when the file begins with '# yaml-language-server: " +
      "$schema=landfall.schema.json'.",
    examples: [['landfall config-schema > landfall.schema.json', 'beside landfall.yaml']],
  }).action(async (options: CommonOptions) => {
    await run(options, async ({ output }) => {
      const { configJsonSchema } = await import('../../config/schema.js');
      const schema = configJsonSchema();
      output.result(schema, () => JSON.stringify(schema, null, 2));
      return 0;
    });
  });
}
