/** An export that somebody asks a vendor for: what passes between people, the command line and its workflow. */

import type { DeliveryResult } from './control.js';

export const exportFormats = ['json', 'csv'] as const;
export type AskedFormat = (typeof exportFormats)[number];

export interface ExportInput {
  readonly source: string;
  /** Days by the vendor's count, both included. */
  readonly from: string;
  readonly to: string;
  readonly format: AskedFormat;
  /** Milliseconds without word from the delivery after which it is asked for. Default: 5 minutes. */
  readonly askEvery?: number;
  /** What an earlier run hands on at continue-as-new. */
  readonly carried?: CarriedExport;
}

export interface CarriedExport {
  /** Epoch ms. */
  readonly askedAt: number;
  readonly asked: StartedExport;
  readonly polls: number;
  /** Once the vendor has finished. */
  readonly counts?: ExportCounts;
  /** Id of the delivery, once it is started. */
  readonly delivery?: string;
}

/** An export that the vendor took. */
export interface StartedExport {
  /** The vendor's id of it; absent where nothing matches what was asked for. */
  readonly exportJob?: string;
  /** The vendor's day on which it was asked for, `YYYY-MM-DD`. */
  readonly date: string;
}

/** What an export brought, as far as the vendor tells. */
export interface ExportCounts {
  readonly files: number;
  readonly sessions?: number;
  readonly bytes?: number;
}

/** Answer of an export's `status` query. */
export interface ExportStatus {
  readonly source: string;
  readonly from: string;
  readonly to: string;
  readonly format: AskedFormat;
  /** `ASKING`, then the vendor's own word: PENDING, RUNNING, FINISHED, FAILED. */
  readonly state: string;
  readonly exportJob?: string;
  readonly counts?: ExportCounts;
  /** Id of the delivery that loads it. */
  readonly delivery?: string;
  /** What happens next, as a sentence. */
  readonly next: string;
}

/** Result of an export's workflow. */
export interface ExportResult {
  readonly exportJob?: string;
  readonly counts?: ExportCounts;
  /** What became of what it brought; absent where it brought nothing. */
  readonly delivery?: DeliveryResult;
  /** A sentence. */
  readonly reason: string;
}

export const exportWorkflow = 'leanplumExport';

export function exportId({ source, from, to, format }: Omit<ExportInput, 'carried'>): string {
  return `${source}/export/${from}..${to}/${format}`;
}
