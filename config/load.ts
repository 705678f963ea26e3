import { readFile } from 'node:fs/promises';
import { isAbsolute, relative, resolve } from 'node:path';

import { ConfigError, describeProblems, type ConfigProblem } from './config-error.js';
import { readDocument, writePath, type ConfigDocument, type Environment } from './document.js';
import { show, toProblems } from './problems.js';
import { configSchema, nameSource, type Config } from './schema.js';
import { valueAt } from './value-at.js';

const defaultFile = 'landfall.yaml';

export interface LoadOptions {
  /** Absent: `landfall.yaml` in the current directory. */
  readonly path?: string;
  /** What `${NAME}` refers to. */
  readonly env: Environment;
  readonly cwd: string;
}

/** Reads and checks the configuration. Throws a `ConfigError` that lists everything that is wrong with it. */
export async function loadConfig(options: LoadOptions): Promise<Config> {
  const config = await loadConfigIfAny(options);
  if (config) return config;
  throw new ConfigError(
    `There is no ${defaultFile} in ${options.cwd}. Write one (docs/configuration.md shows how), or name another with ` +
      `--config. Only 'landfall dev' works without.`,
  );
}

/** As `loadConfig`, but undefined when no path was asked for and there is no `landfall.yaml`. */
export async function loadConfigIfAny(options: LoadOptions): Promise<Config | undefined> {
  const path = resolve(options.cwd, options.path ?? defaultFile);
  const name = shortest(path, options.cwd);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && options.path === undefined) return undefined;
    const why = code === 'ENOENT' ? 'it does not exist' : `reading it failed (${code ?? String(error)})`;
    throw new ConfigError(`The configuration ${name} cannot be used: ${why}.`, []);
  }
  return parseConfig({ text, name, path, env: options.env });
}

export interface ConfigText {
  readonly text: string;
  /** What errors call the file. */
  readonly name: string;
  /** Becomes `configPath`. */
  readonly path: string;
  readonly env: Environment;
}

/** Checks a configuration that was read already. */
export function parseConfig({ text, name, path, env }: ConfigText): Config {
  const document = readDocument(name, text, env);
  if (document.problems.length > 0 && document.value === undefined) fail(name, document.problems);
  const parsed = configSchema.safeParse(document.value ?? {});
  const problems = [
    // A reference that leads nowhere is one problem, not also a wrong value.
    ...toProblems(parsed.error?.issues ?? [], document).filter(
      (problem) => !document.problems.some((earlier) => earlier.path === problem.path),
    ),
    ...document.problems,
    ...sharedSettings(document),
  ];
  if (!parsed.success || problems.length > 0) fail(name, problems);
  const { sources, ...rest } = parsed.data;
  return {
    ...rest,
    sources: Object.entries(sources).map(([source, settings]) => nameSource(source, settings)),
    configPath: path,
  };
}

/**
 * What belongs to one source alone: in one schema, two sources would replace each other's rows; at one path, nobody could
 * tell for which of them something was sent.
 */
function sharedSettings(document: ConfigDocument): ConfigProblem[] {
  const sources = valueAt(document.value, ['sources']);
  if (typeof sources !== 'object' || sources === null) return [];
  const problems: ConfigProblem[] = [];
  for (const { setting, usual } of [{ setting: 'schema', usual: 'vendor' }, { setting: 'path' }]) {
    const owners = new Map<string, string>();
    for (const name of Object.keys(sources)) {
      const given = ['sources', name, setting];
      const isGiven = usual === undefined || valueAt(document.value, given) !== undefined;
      const from = isGiven ? given : ['sources', name, usual];
      const value = valueAt(document.value, from);
      if (typeof value !== 'string') continue;
      const owner = owners.get(value);
      if (owner === undefined) owners.set(value, name);
      else {
        problems.push({
          path: writePath(given),
          rule: `must differ from that of every other source, and sources '${owner}' and '${name}' share one`,
          value: show(value, from, document),
          at: document.at(given),
        });
      }
    }
  }
  return problems;
}

function fail(name: string, problems: readonly ConfigProblem[]): never {
  const line = ({ at }: ConfigProblem): number => Number(/:(\d+)$/.exec(at)?.[1]);
  const sorted = [...problems].sort((a, b) => line(a) - line(b));
  throw new ConfigError(describeProblems(name, sorted), sorted);
}

function shortest(path: string, cwd: string): string {
  const short = relative(cwd, path);
  return short.startsWith('..') || isAbsolute(short) ? path : short;
}
