import type { MadeFile } from '../../sandbox/leanplum/job.js';
import { parseManifest, type ListedFile } from '../../vendors/leanplum/manifest.js';
import { sightJob, type JobSighting } from '../../vendors/leanplum/sighting.js';

/** What a look at a job finds where these files lie, with manifests read as they are. */
export function sightMade(
  job: string,
  files: readonly Pick<MadeFile, 'key' | 'role' | 'bytes'>[],
): JobSighting {
  const objects = files.map(({ key, bytes }, number) => ({
    ...{ key, version: `v${number}`, size: bytes.length, modified: number },
  }));
  const manifests = files.flatMap(({ key, role, bytes }, number) =>
    role === 'manifest' ? [{ key, version: `v${number}`, ...readManifest(bytes.toString()) }] : [],
  );
  return sightJob(job, objects, manifests);
}

type Said = { readonly files: readonly ListedFile[] } | { readonly fault: string };

function readManifest(text: string): Said {
  try {
    return { files: parseManifest(text) };
  } catch (error) {
    return { fault: (error as Error).message };
  }
}
