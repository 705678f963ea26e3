import type { S3Client } from '@aws-sdk/client-s3';

import { reportFault, reportRecovery } from './faults.js';

/**
 * Reports what the SDK tries again by itself. That a file begins to come is no recovery yet: its bytes are, which whoever
 * downloads it reports.
 */
export function reportFaults(client: S3Client, explain: (error: unknown) => unknown): void {
  client.middlewareStack.add(
    (next, { commandName }) =>
      async (request) => {
        try {
          const answer = await next(request);
          if (commandName !== 'GetObjectCommand') reportRecovery();
          return answer;
        } catch (error) {
          reportFault(explain(error));
          throw error;
        }
      },
    { step: 'finalizeRequest', priority: 'low', name: 'reportFaults' },
  );
}
