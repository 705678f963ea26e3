import type { Path } from './document.js';
import { configJsonSchema, type JsonSchema } from './schema.js';

/** The keys that the settings at a path may have, for suggestions. Of alternatives, those of all. */
export function knownKeys(path: Path): string[] {
  let level: JsonSchema[] = [configJsonSchema()];
  for (const step of path) level = level.flatMap(alternatives).flatMap((schema) => below(schema, step));
  const keys = level.flatMap(alternatives).flatMap((schema) => Object.keys(schema.properties ?? {}));
  return [...new Set(keys)];
}

function alternatives(schema: JsonSchema): JsonSchema[] {
  const options = [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])];
  return options.length === 0 ? [schema] : options.flatMap((option) => alternatives(option));
}

function below(schema: JsonSchema, step: string | number): JsonSchema[] {
  const next = schema.properties?.[step] ?? schema.additionalProperties;
  return typeof next === 'object' ? [next] : [];
}
