import type { SourceConfig } from '../../config/schema.js';
import { openNames } from '../../stores/monetate-api.js';
import { reportOn, sentence, type Finding } from './finding.js';

/** Asks the API that names a source's ids, where it has one, for a token and a page. Changes nothing. */
export async function checkNames(source: SourceConfig): Promise<readonly Finding[]> {
  if (!('metadata' in source) || source.metadata === undefined) return [];
  const { account, username } = source.metadata;
  const report = reportOn(`names of ${source.name}`);
  try {
    const { named, next } = await openNames(source.metadata).page('variant');
    const more = next === undefined ? '' : ' and has more';
    report.ok(
      'metadata API',
      `${username} may read account ${account}, which gave ${named.length} variants${more}`,
    );
  } catch (error) {
    report.wrong(
      'metadata API',
      sentence(error).replace(/\. It is retried$/, ''),
      `Sessions are loaded all the same, and their ids have no names until sources.${source.name}.metadata is mended.`,
    );
  }
  return report.findings;
}
