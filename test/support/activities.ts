import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';

import type { Dependencies } from '../../activities/dependencies.js';
import { openSources } from '../../activities/sources.js';
import { turns } from '../../activities/turns.js';
import { inTemporaryFolder, type TestSource } from './landfall.js';

/** Single activities of a source, without a worker. Those that ask Temporal have nobody to ask. */
export interface OpenActivities {
  readonly deps: Dependencies;
  /** Runs one with a folder to work in. */
  readonly run: <I, O>(create: (deps: Dependencies) => (input: I) => Promise<O>, input: I) => Promise<O>;
  /** Ends the store's connections. */
  readonly close: () => Promise<void>;
}

/** `readers` are those that may read at the same time. */
export function openActivities(source: TestSource, readers = 1): OpenActivities {
  const opened = openSources([source.config], source.database.pool);
  const deps: Dependencies = {
    ...{ pool: source.database.pool, source: opened.source, client: undefined as never },
    ...{ reader: { memoryLimit: '128MB', threads: 1, spillDirectory: '' }, spoolDirectory: '' },
    readers: turns(readers),
  };
  return {
    deps,
    run: <I, O>(create: (deps: Dependencies) => (input: I) => Promise<O>, input: I): Promise<O> =>
      inTemporaryFolder((spoolDirectory) =>
        new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') }).run<
          [I],
          O,
          (input: I) => Promise<O>
        >(create({ ...deps, spoolDirectory }), input),
      ),
    close: opened.close,
  };
}
