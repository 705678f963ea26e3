import { addDays, isDay, startOfDay } from '../../model/day.js';
import type { Delivery } from '../../model/delivery.js';
import type { Look, LookedAt, Sorting, Takes, Vendor } from '../vendor.js';
import { closesAfter, stoodStill } from './day-case.js';
import { dayFolder, goneFrom, monthFolders, parseDayFolder, whyIgnored } from './layout.js';
import { newnessOf } from './newness.js';
import { digest, isTaken, lookAtDay } from './sighting.js';
import { session, storedTables } from './tables.js';

/** All that the export holds are sessions. */
export const monetateTypes = ['sessions'] as const;

export const monetate: Vendor = {
  name: 'monetate',
  types: monetateTypes,
  scripts: new URL('sql/', import.meta.url),
  table: () => session,
  // Files come every 15 minutes, and a session may come again with a later one.
  landing: () => ({ how: 'merge', tables: storedTables, adds: true }),
  shape: () => ({ format: 'documents', table: session }),
  deliveries: {
    are: 'days',
    name: (_type, date) => date,
    typePrefix: () => '',
    prefixes: (_type, first, last) => monthFolders(first, last),
    parseDay: (_type, folder) => parseDayFolder(folder),
    parseName: (name) => (isDay(name) ? { type: monetateTypes[0], date: name } : undefined),
    // Its first file comes a quarter of an hour after it has begun.
    beginWithDay: true,
    closeAfter: () => closesAfter,
    keptUntil: goneFrom,
    needNext: true,
  },
  exampleName: '2026-11-20',
  onlyGrows: true,
  prefix: (_type, date) => dayFolder(date),
  depth: 'level',
  look,
  hasManifests: false,
  sorting,
};

function look({ date }: Delivery, at: LookedAt): Look {
  const day = lookAtDay(date, {
    closesAt: at.closesAt ?? startOfDay(addDays(date, 1)) + closesAfter,
    upTo: stoodStill(at.watch, at),
  });
  return {
    prefixes: day.prefixes,
    see: (page) => {
      day.see(page);
      return false;
    },
    toRead: () => [],
    others: () => day.others(),
    sighting: (_read, unseen) => day.sighting(unseen),
  };
}

/** The files that are taken say together which version of the day it is. */
function sorting({ date }: Delivery, { upTo }: Takes): Sorting {
  const taken = digest();
  return {
    sort: (file) => {
      if (isTaken(file, upTo)) {
        taken.add(file);
        return { kind: 'part', partitionValue: null };
      }
      return { kind: 'ignored', reason: whyIgnored(file.key) ?? 'perhaps still being written' };
    },
    newness: ({ key }) => newnessOf(key),
    marker: () => (taken.files() === 0 ? undefined : { key: dayFolder(date), version: taken.version() }),
  };
}
