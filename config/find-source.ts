import { ConfigError } from './config-error.js';
import type { SourceConfig } from './schema.js';
import { didYouMean } from '../model/suggest.js';

/** The source of that name. Throws a `ConfigError` that names those there are. */
export function findSource(sources: readonly SourceConfig[], name: string): SourceConfig {
  const source = sources.find((candidate) => candidate.name === name);
  if (source) return source;
  const names = sources.map((candidate) => candidate.name);
  const known = names.length === 0 ? 'It has none' : `It has ${names.join(', ')}`;
  throw new ConfigError(
    `The configuration has no source '${name}'${didYouMean(name, names) || '.'} ${known}.`,
  );
}
