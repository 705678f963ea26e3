/** What ids are called, asked of a vendor's API: what passes between people, the command line and its workflow. */

/** Kinds of ids, in the order in which they are asked for. */
export const nameKinds = ['variant', 'pageevent', 'customtarget'] as const;
export type NameKind = (typeof nameKinds)[number];

/** For sentences. */
export const kindWords: Readonly<Record<NameKind, string>> = {
  variant: 'variants',
  pageevent: 'page events',
  customtarget: 'custom targets',
};

export interface NamesInput {
  readonly source: string;
  /** Only ids without a name in the sessions of this day, `YYYY-MM-DD`. Absent: everything the API has. */
  readonly day?: string;
  /** What an earlier run hands on at continue-as-new. */
  readonly carried?: CarriedNames;
}

export interface CarriedNames {
  /** Epoch ms: when the first run began, as of which all answers are written. */
  readonly at: number;
  /** What is behind us. */
  readonly counts: NamesByKind;
  /** The list that is being read: pages of it so far, and where it goes on. */
  readonly list: { readonly kind: NameKind; readonly pages: number; readonly next: string };
}

export interface NameCounts {
  /** Ids that the API gave. */
  readonly named: number;
  /** Those of them that it had never given before. */
  readonly new: number;
  /** Ids with names of which it says now for the first time that there is none any more; they keep their names. */
  readonly gone: number;
  /** Ids in sessions that it has never had. */
  readonly unknown: number;
  /** Ids that were not asked for one by one, because there were too many: another run does. */
  readonly left: number;
}

export type NamesByKind = Readonly<Partial<Record<NameKind, NameCounts>>>;

/** Answer of the `status` query. */
export interface NamesStatus {
  readonly source: string;
  readonly day?: string;
  readonly counts: NamesByKind;
  /** What happens next, as a sentence. */
  readonly next: string;
}

export interface NamesResult extends NameCounts {
  /** A sentence. */
  readonly reason: string;
}

/** Everything that starts the workflow but its task queue. */
export interface NamesStart {
  readonly workflowId: string;
  readonly input: NamesInput;
  readonly staticSummary: string;
  readonly staticDetails: string;
}

export const namesWorkflow = 'monetateNames';

export function namesId(source: string, day?: string): string {
  return day === undefined ? `${source}/names` : `${source}/names/${day}`;
}

export function namesStart(source: string, day?: string): NamesStart {
  return {
    workflowId: namesId(source, day),
    input: { source, ...(day === undefined ? {} : { day }) },
    staticSummary:
      day === undefined ? `${source}: what ids are called` : `${source}: what ids of ${day} are called`,
    staticDetails:
      day === undefined
        ? `Asks the metadata API what all variants, page events and custom targets of **${source}** are called, page by ` +
          `page, and for those one by one that it no longer lists.`
        : `Asks the metadata API what those variants, page events and custom targets in the sessions of **${day}** of ` +
          `**${source}** are called that have no name yet, one by one.`,
  };
}

export const nothingNamed: NameCounts = { named: 0, new: 0, gone: 0, unknown: 0, left: 0 };

export function sumNames(counts: NamesByKind): NameCounts {
  return Object.values(counts).reduce(
    (sum, one) => ({
      named: sum.named + one.named,
      new: sum.new + one.new,
      gone: sum.gone + one.gone,
      unknown: sum.unknown + one.unknown,
      left: sum.left + one.left,
    }),
    nothingNamed,
  );
}
