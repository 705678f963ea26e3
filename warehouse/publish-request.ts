import type { LoadCounts } from '../model/control.js';
import type { Finality } from '../model/delivery.js';
import type { Target } from './target.js';

export interface PublishRequest {
  readonly loadId: string;
  readonly deliveryId: string;
  readonly target: Target;
  /** Highest share of quarantined rows, 0 to 1. */
  readonly quarantineLimit: number;
  readonly finality: Finality & ('provisional' | 'final');
  readonly reason: string;
  /** What people should know of it. */
  readonly notice?: string | undefined;
  /** The vendor promises that a new version of a delivery has all rows of the one before. */
  readonly onlyGrows: boolean;
  /** Highest share of its rows that a delivery may lose with a new version, 0 to 1. Absent: all of them. */
  readonly shrinkLimit?: number;
  /** Why a person wants the load published that was held for having lost more. */
  readonly accepted?: string | undefined;
  /** Requests of the wishes that are done with it, also when it is held. */
  readonly answers?: readonly string[] | undefined;
}

/** What was published. */
export interface PublishedLoad extends LoadCounts {
  readonly notice?: string;
}
