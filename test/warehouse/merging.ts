import { addDays } from '../../model/day.js';
import { daysOf, ownDays } from '../../warehouse/day-layout.js';

/** A month that is old as soon as the recent days are there, which keep partitions of their own. */
export const march = daysOf('2026-03');
export const recent = Array.from({ length: ownDays }, (_, n) => addDays('2026-04-01', n));
