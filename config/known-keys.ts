import type { Path } from './document.js';
import { configJsonSchema, type JsonSchema } from './schema.js';
import { valueAt } from './value-at.js';

/**
 * The keys that the settings at a path of a file may have, for suggestions. Of alternatives, those of the one that is
 * meant by its `vendor`, or else of all.
 */
export function knownKeys(path: Path, file: unknown): string[] {
  let level: JsonSchema[] = [configJsonSchema()];
  let there = file;
  for (const step of path) {
    level = level.flatMap((schema) => alternatives(schema, there)).flatMap((schema) => below(schema, step));
    there = valueAt(there, [step]);
  }
  const keys = level
    .flatMap((schema) => alternatives(schema, there))
    .flatMap((schema) => Object.keys(schema.properties ?? {}));
  return [...new Set(keys)];
}

function alternatives(schema: JsonSchema, value: unknown): JsonSchema[] {
  const options = [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])];
  if (options.length === 0) return [schema];
  const meant = options.filter((option) => isMeant(option, value));
  return (meant.length === 0 ? options : meant).flatMap((option) => alternatives(option, value));
}

/** Every property of the schema that may have but one value has it. */
function isMeant({ properties = {} }: JsonSchema, value: unknown): boolean {
  const constants = Object.entries(properties).filter(
    ([, property]) => typeof property === 'object' && property.const !== undefined,
  );
  return (
    constants.length > 0 &&
    constants.every(
      ([key, property]) => typeof property === 'object' && property.const === valueAt(value, [key]),
    )
  );
}

function below(schema: JsonSchema, step: string | number): JsonSchema[] {
  const next = schema.properties?.[step] ?? schema.additionalProperties;
  return typeof next === 'object' ? [next] : [];
}
