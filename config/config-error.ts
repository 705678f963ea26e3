import { Failure, failureTypes } from '../model/failure.js';

/** One thing that is wrong with the configuration. Holds no secret, and nothing that an environment variable gave. */
export interface ConfigProblem {
  /** `sources.experiments.pollEvery`; empty for the file as a whole. */
  readonly path: string;
  /** What must be, as the end of a sentence that begins with the path. */
  readonly rule: string;
  /** What is there, ready for print, or why it is not shown. */
  readonly value?: string;
  /** `landfall.yaml:12`. */
  readonly at: string;
}

/** The configuration cannot be used. `problems` is empty where a name is unknown or a file is missing. */
export class ConfigError extends Failure {
  constructor(
    message: string,
    readonly problems: readonly ConfigProblem[] = [],
  ) {
    super(failureTypes.configInvalid, message);
  }
}

/** One line a problem, all of them. */
export function describeProblems(file: string, problems: readonly ConfigProblem[]): string {
  const count = problems.length === 1 ? 'one problem' : `${problems.length} problems`;
  const lines = problems.map(({ path, rule, value, at }) => {
    const found = value === undefined ? '' : `; it is ${value}`;
    return `  ${at}: ${[path, rule].filter(Boolean).join(' ')}${found}.`.replace(/([.?])\.$/, '$1');
  });
  return [`${file} has ${count}:`, ...lines].join('\n');
}
