import type { Asked, Clock, Marker, Sighting, Standing } from '../../../vendors/completion.js';
import { closesAfter } from '../../../vendors/megaphone/completion.js';

export const minute = 60_000;
export const hour = 60 * minute;
export const day = 24 * hour;

/** The day of the cases is 2026-11-20. */
export const start = Date.parse('2026-11-20T00:00:00Z');
export const end = start + day;
export const closesAt = end + closesAfter('metrics');

export const at = (instant: string): number => Date.parse(`2026-11-${instant}Z`);

export const awaited = 'metrics-day-2026-11-20.json.gz';
export const file = (version: string): Marker => ({ key: awaited, version });
export const seen = (version: string): Sighting => ({ awaited, marker: file(version) });
export const nothing: Sighting = { awaited };

export const fresh: Standing = { finality: 'waiting', published: false };
export const provisional = (version: string): Standing => ({
  ...{ finality: 'provisional', published: true, version },
});
export const final = (version: string): Standing => ({ finality: 'final', published: true, version });

export const nobody: Asked = { accepted: false, force: false };
export const accepted: Asked = { accepted: true, force: false };
export const forced: Asked = { accepted: false, force: true };

/** As a source without settings of its own has it: `20T14:30` is half past two on the day itself. */
export const clock = (instant: string | number, more: Partial<Clock> = {}): Clock => ({
  now: typeof instant === 'number' ? instant : at(instant),
  deadline: end + 2 * day,
  waitingSince: start,
  pollEvery: 15 * minute,
  closesAt,
  settleFor: hour,
  ...more,
});
