/** What Dynatrace sends, in its two forms. */

import type { Endpoint } from './request.js';
import { sessionKey, sessionLine, type UserSession } from './session.js';

/** One document a line; for Elasticsearch with a line before each that says where it goes, and one more line break. */
export function bodyOf(sessions: readonly UserSession[], { elasticsearch }: Endpoint): string {
  const lines = sessions.map(sessionLine);
  if (elasticsearch === undefined) return lines.join('\n');
  const { index, type } = elasticsearch;
  return sessions
    .map((session, number) => {
      const action = {
        _index: index,
        ...(type === undefined ? {} : { _type: type }),
        _id: sessionKey(session),
      };
      return `${JSON.stringify({ index: action })}\n${lines[number] ?? ''}\n`;
    })
    .join('');
}

/** What the vendor's page tells people to send with curl: it is in no session's form, and has no userSessionId. */
export const checkDocument =
  '{"visitorId":"17950000000004SLIPWAY7QUAY2BOLLARD9","visitId":"41230567","startTime":1795168800000,' +
  '"endTime":1795168806105,"visitType":"SYNTHETIC"}';
