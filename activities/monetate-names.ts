import { nameDay } from '../config/name-delivery.js';
import type { SourceConfig } from '../config/schema.js';
import type { NameCounts, NameKind } from '../model/names.js';
import { openNames, type MonetateApi, type NamesApi } from '../stores/monetate-api.js';
import type { Named, NamePage } from '../vendors/monetate/metadata.js';
import { namedTables } from '../vendors/monetate/named-tables.js';
import {
  countNames,
  putAbsent,
  putNames,
  unheardIds,
  unnamedIds,
  type NamesOf,
  type SomeIds,
} from '../warehouse/named-ids.js';
import type { Dependencies } from './dependencies.js';
import { withHeartbeat } from './heartbeat.js';
import { sourceMissing } from './sources.js';
import { turns } from './turns.js';

export interface NamePageStep {
  readonly source: string;
  readonly kind: NameKind;
  /** Epoch ms: when the run began, as of which answers are written. */
  readonly at: number;
  /** Address of the page; absent for the first one. */
  readonly next?: string;
}

export interface NamePageDone {
  /** Ids on the page. */
  readonly named: number;
  /** Address of the next page. */
  readonly next?: string;
}

export interface NameIdsStep {
  readonly source: string;
  readonly kind: NameKind;
  /** Epoch ms: when the run began. */
  readonly at: number;
  /** Ids without a name in the sessions of this day. Absent: those that the list, read before, no longer had. */
  readonly day?: string;
}

/** Ids of a kind that a run asks for one by one, at most. */
const usualMost = 1_000;
/** Answers that are written at a time. */
const writtenAtOnce = 50;
/** Milliseconds after which an id in sessions is asked for again of which the API said that there is none. */
const askAgainAfter = 7 * 86_400_000;

/** The API of a source, asked for one thing at a time. */
interface NamesInTurn {
  readonly page: (kind: NameKind, next: string | undefined, signal: AbortSignal) => Promise<NamePage>;
  readonly one: (kind: NameKind, id: string, signal: AbortSignal) => Promise<Named | undefined>;
}

type Apis = (source: string) => NamesInTurn;

/** Opens each source's API when it is first asked. */
export function openNameApis({ source }: Pick<Dependencies, 'source'>): Apis {
  const opened = new Map<string, NamesInTurn>();
  return (name) => {
    const api = opened.get(name) ?? inTurn(openNames(apiOf(source(name).config)));
    opened.set(name, api);
    return api;
  };
}

export function createNamePage({ pool, source }: Pick<Dependencies, 'pool' | 'source'>, apis: Apis) {
  /** Reads a page of the list of a kind. */
  return async function namePage({ source: name, kind, at, next }: NamePageStep): Promise<NamePageDone> {
    const api = apis(name);
    const of = namesOf(source(name).config, kind);
    return withHeartbeat(
      () => undefined,
      async (signal) => {
        const page = await api.page(kind, next, signal);
        if (page.named.length > 0) await putNames(pool, of, page.named, at);
        return { named: page.named.length, ...(page.next === undefined ? {} : { next: page.next }) };
      },
    );
  };
}

export function createNameIds(
  { pool, source }: Pick<Dependencies, 'pool' | 'source'>,
  apis: Apis,
  mostAsked = usualMost,
) {
  /**
   * Asks for ids one by one, and gives what is known of the kind by this run. What it has heard is kept whatever ends it,
   * so that another attempt goes on there.
   */
  return async function nameIds(step: NameIdsStep): Promise<NameCounts> {
    const { source: name, kind, at } = step;
    const api = apis(name);
    const { config } = source(name);
    const of = namesOf(config, kind);
    const progress = { asked: 0, of: 0 };

    const ask = async (ids: readonly string[], signal: AbortSignal): Promise<void> => {
      const found: Named[] = [];
      const absent: string[] = [];
      try {
        for (const id of ids) {
          const named = await api.one(kind, id, signal);
          if (named) found.push(named);
          else absent.push(id);
          progress.asked += 1;
        }
      } finally {
        if (found.length > 0) await putNames(pool, of, found, at);
        if (absent.length > 0) await putAbsent(pool, of, absent, at);
      }
    };
    const wanted = (): Promise<SomeIds> => {
      if (step.day === undefined) return unheardIds(pool, of, at, mostAsked);
      const [type = 'sessions'] = config.types;
      const delivery = nameDay(config, type, step.day).id;
      return unnamedIds(pool, of, { delivery, askedBefore: at - askAgainAfter, limit: mostAsked });
    };

    return withHeartbeat(
      () => progress,
      async (signal) => {
        const { ids, more } = await wanted();
        progress.of = ids.length;
        for (let from = 0; from < ids.length; from += writtenAtOnce) {
          await ask(ids.slice(from, from + writtenAtOnce), signal);
        }
        return { ...(await countNames(pool, of, at)), left: more };
      },
    );
  };
}

function namesOf({ schema }: SourceConfig, kind: NameKind): NamesOf {
  return { schema, table: namedTables[kind] };
}

/** What is configured of the API. Throws `SourceMissing` for a source that has none. */
function apiOf(config: SourceConfig): MonetateApi {
  if (config.vendor === 'monetate' && config.metadata !== undefined) return config.metadata;
  throw sourceMissing(`sources.${config.name}.metadata, by which ids are named,`);
}

function inTurn(api: NamesApi): NamesInTurn {
  const { take } = turns(1);
  return {
    page: (kind, next, signal) => take(signal, () => api.page(kind, next, signal)),
    one: (kind, id, signal) => take(signal, () => api.one(kind, id, signal)),
  };
}
