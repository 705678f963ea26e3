/**
 * When a job is complete. "To process each export job as it comes, wait for the manifest file(s) to appear and then
 * process the files that are referred inside the manifest files." "Uploaded files with no corresponding manifest file
 * should not be processed"; where an upload does not complete, "the manifest will never arrive and the partial data
 * files should be discarded. The next successful scheduled export job will include all sessions from previously failed
 * exports." So: wait for every manifest, then for every shard they list; a job without its manifests is discarded, one
 * with them and without a shard fails.
 */

import { writeChanges } from '../changes.js';
import {
  interval,
  whatStays,
  writeInstant,
  writeMinute,
  type Asked,
  type Clock,
  type Decision,
  type Standing,
} from '../completion.js';
import type { Kind } from './layout.js';
import type { JobSighting } from './sighting.js';

/** `deadline` counts only for a job of which there is no file at all. */
export interface JobClock extends Clock {
  /** Milliseconds from a job's first file on that its manifests are awaited. */
  readonly discardAfter: number;
  /** Milliseconds from the newest manifest on that shards it lists may be missing. */
  readonly uploadGrace: number;
}

/**
 * What to do about a job now. A job that the rule discarded is loaded all the same when its manifests come; one that a
 * person ended rests, and so does a final one.
 */
export function decide(sighting: JobSighting, ledger: Standing, clock: JobClock, asked: Asked): Decision {
  const rest = restsBecause(sighting, ledger, asked);
  if (rest !== undefined) return { step: 'rest', reason: rest };
  if (sighting.since === undefined) return decideWithoutFiles(ledger, clock, asked);
  if (sighting.whole === true) return load(sighting, ledger);
  if (asked.accepted) return loadAccepted(sighting);
  return sighting.manifestsMissing.length > 0
    ? awaitManifests(sighting, sighting.since, ledger, clock)
    : awaitShards(sighting, sighting.completeSince ?? sighting.since, ledger, clock);
}

function restsBecause(sighting: JobSighting, ledger: Standing, asked: Asked): string | undefined {
  const { finality } = ledger;
  if (asked.force) return undefined;
  if (finality === 'final' && sighting.whole === true && (sighting.changes?.total ?? 0) > 0) return undefined;
  if (finality === 'final') {
    const changed =
      ledger.version !== undefined && (sighting.marker?.version ?? ledger.version) !== ledger.version;
    return changed
      ? `It is final. What its manifest says has changed since, which the vendor does not announce; reprocess it to load what is there now.`
      : 'It is final already and stays as it is; reprocess it to load it again.';
  }
  if (asked.accepted || (finality !== 'skipped' && finality !== 'discarded')) return undefined;
  if (finality === 'skipped' || ledger.byRule !== true) {
    return `It is ${finality} and stays as it is; reprocess it to load it.`;
  }
  return sighting.manifestsMissing.length === 0
    ? undefined
    : `It is discarded, and ${sighting.awaited} has not come since.`;
}

function load(sighting: JobSighting, ledger: Standing): Decision {
  const { marker, manifestsThere, shardsListed } = sighting;
  const [manifest, lists] =
    manifestsThere === 1 ? ['The manifest is there', 'it lists'] : ['All manifests are there', 'they list'];
  const late = ledger.finality === 'discarded' && ledger.byRule === true;
  const notice = [...changedWhenFinal(sighting, ledger), ...unlisted(sighting)];
  return {
    step: 'load',
    ...(marker ? { marker } : {}),
    finality: 'final',
    reason: [
      ...(late ? ['The job was discarded without its manifest, which has come after all.'] : []),
      shardsListed === 0
        ? `${manifest}, and ${lists} no shard: a job without sessions.`
        : `${manifest}, and so ${count(shardsListed, 'is the shard', 'are all # shards')} that ${lists}.`,
      ...notice,
    ].join(' '),
    ...(notice.length === 0 ? {} : { notice: notice.join(' ') }),
    take: 'listed',
  };
}

/** Whatever its vendor says, such as that a job is never written anew: what the store holds is loaded. */
function changedWhenFinal({ changes }: JobSighting, { finality }: Standing): readonly string[] {
  if (finality !== 'final' || changes === undefined || changes.total === 0) return [];
  return [`This job was final with other files: ${writeChanges(changes)} since.`];
}

/** A person takes it as complete: what is wrong with it stays with its rows. */
function loadAccepted(sighting: JobSighting): Decision {
  const { marker, manifestsMissing, shardsThere, fault } = sighting;
  const reason = [
    `Somebody accepted the job as it is, with ${count(shardsThere, '# shard', '# shards')} there.`,
    ...(manifestsMissing.length === 0
      ? []
      : [`${nameKinds(manifestsMissing)} not there; shards that no manifest speaks of are all taken.`]),
    ...(fault === undefined ? [] : [fault]),
    ...(sighting.shardsMissing === 0 ? [] : [`${missing(sighting)}.`]),
    ...unlisted(sighting),
  ].join(' ');
  return {
    step: 'load',
    ...(marker ? { marker } : {}),
    ...{ finality: 'final', reason, notice: reason, take: 'all' },
  };
}

function awaitManifests(sighting: JobSighting, since: number, ledger: Standing, clock: JobClock): Decision {
  const { awaited, shardsThere, manifestsThere, manifestsMissing } = sighting;
  const end = since + clock.discardAfter;
  const shards = `${count(shardsThere, '# shard is', '# shards are')} there`;
  if (clock.now < end) {
    const until = Math.min(clock.now + interval(clock), end);
    // What readers see is never discarded by the rule.
    const otherwise = ledger.published ? 'the delivery fails' : 'the job is discarded';
    const all = manifestsThere + manifestsMissing.length;
    return {
      step: 'wait',
      until,
      reason:
        `${awaited} is not there yet (${shards}, the first file since ${writeInstant(since)}); ` +
        `the next look is at ${writeInstant(until)}, and without it ${otherwise} at ${writeInstant(end)}.`,
      summary:
        `next look ${writeMinute(until)}, ` +
        (all === 1 ? 'no manifest yet' : `${manifestsThere} of ${all} manifests`),
      note: `${awaited} is awaited until ${writeMinute(end)}; without it ${otherwise}.`,
    };
  }
  const came = `${awaited} was awaited until ${writeInstant(end)} and did not come (${shards}).`;
  if (ledger.published) return fail(`${came} The rows of its last load stay visible. ${remedy}`);
  return {
    step: 'giveUp',
    as: 'discarded',
    reason:
      `${came} The vendor did not complete the upload, and nothing of it was staged: its next job that succeeds sends ` +
      'these sessions again. If the manifest comes after all, the job is loaded.',
  };
}

const remedy =
  'Reprocess the delivery when everything is there, or accept it to load what lies there without the rest.';

function awaitShards(sighting: JobSighting, complete: number, ledger: Standing, clock: JobClock): Decision {
  const { fault, shardsMissing, shardsListed } = sighting;
  const wrong = [
    ...(fault === undefined ? [] : [fault]),
    ...(shardsMissing === 0 ? [] : [`${missing(sighting)}.`]),
  ].join(' ');
  const end = complete + clock.uploadGrace;
  if (clock.now < end) {
    const until = Math.min(clock.now + Math.max(1, clock.pollEvery), end);
    const what =
      shardsMissing > 0
        ? `${shardsMissing} of ${shardsListed} shards missing`
        : 'what is there cannot be used';
    return {
      step: 'wait',
      until,
      reason:
        `${wrong} The next look is at ${writeInstant(until)}; ` +
        `the delivery fails unless that is mended by ${writeInstant(end)}.`,
      summary: `next look ${writeMinute(until)}, ${what}`,
      note: `${wrong} That is awaited until ${writeMinute(end)}; otherwise the delivery fails.`,
    };
  }
  return fail(
    `${wrong} The wait for that to be mended ended at ${writeInstant(end)}. ${whatStays(ledger)} ${remedy}`,
  );
}

/** No folder shows the job: somebody named it, or its files were deleted. */
function decideWithoutFiles(ledger: Standing, clock: JobClock, asked: Asked): Decision {
  const visible = ledger.published ? ' The rows of its last load stay visible.' : '';
  const deadline = writeInstant(clock.deadline);
  if (asked.accepted) {
    return fail(`Somebody accepted the job, but there is no file of it in the store to load.${visible}`);
  }
  if (clock.now < clock.deadline) {
    const until = Math.min(clock.now + interval(clock), clock.deadline);
    return {
      step: 'wait',
      until,
      reason:
        `There is no file of the job in the store (looking since ${writeInstant(clock.waitingSince)}); ` +
        `the next look is at ${writeInstant(until)}, the last one at ${deadline}.`,
      summary: `next look ${writeMinute(until)}, no file yet`,
      note: `A file of the job is awaited until ${writeMinute(clock.deadline)}.`,
    };
  }
  return fail(
    `There is no file of the job in the store, and the last look for one was due at ${deadline}.${visible} ` +
      'Look whether its name is right and its files were not deleted, and reprocess the delivery then.',
  );
}

function fail(reason: string): Decision {
  return { step: 'giveUp', as: 'failed', reason };
}

function missing({ shardsMissing, shardsListed, firstMissing }: JobSighting): string {
  const which =
    shardsListed === 1 ? 'The one listed shard' : `${shardsMissing} of the ${shardsListed} listed shards`;
  const verb = count(shardsMissing, 'is', 'are');
  return `${which} ${verb} missing or not whole (${first(firstMissing, shardsMissing)})`;
}

/** Left alone, and said so. */
function unlisted({ shardsUnlisted, firstUnlisted }: JobSighting): readonly string[] {
  if (shardsUnlisted === 0) return [];
  const which = count(shardsUnlisted, '# shard of the job is', '# shards of the job are');
  const were = count(shardsUnlisted, 'was', 'were');
  return [`${which} in no manifest and ${were} left alone (${first(firstUnlisted, shardsUnlisted)}).`];
}

function first(names: readonly string[], all: number): string {
  return `${names.join(', ')}${all > names.length ? ', …' : ''}`;
}

function nameKinds(kinds: readonly Kind[]): string {
  if (kinds.length > 1) return `The manifests of ${kinds.join(', ')} are`;
  return kinds[0] === 'json' ? 'Its manifest is' : `The manifest of ${kinds.join()} is`;
}

/** `#` stands for the number. */
function count(number: number, one: string, several: string): string {
  return (number === 1 ? one : several).replace('#', String(number));
}
