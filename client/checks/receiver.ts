import { once } from 'node:events';
import { get as getOverHttp, type IncomingMessage } from 'node:http';
import { get as getOverHttps } from 'node:https';
import { isIPv6 } from 'node:net';

import type { Config, SentSource } from '../../config/schema.js';
import { sourcePath } from '../../config/source-path.js';
import type { Vendor } from '../../vendors/vendor.js';
import { vendors } from '../../vendors/registry.js';
import { reportOn, sentence, type Finding, type PartReport } from './finding.js';

export function receiverPart({ name }: SentSource): string {
  return `receiver for ${name}`;
}

/** What is to be entered at the vendor. */
export function formPart({ name, vendor }: SentSource): string {
  return `${vendor}'s form for ${name}`;
}

/** Says what to type into the vendor's form, and asks the receiver itself whether it would take anything. */
export async function checkReceiver({ receiver }: Config, source: SentSource): Promise<readonly Finding[]> {
  const report = reportOn(receiverPart(source));
  const url = addressOf(receiver);
  if (url === undefined) {
    report.wrong(
      'address',
      'receiver.port is 0, which is another port at every start',
      'Give receiver.port a number, or set receiver.url.',
    );
    return report.findings;
  }
  report.ok('address', receiver.url === undefined ? `${url}, as seen from this machine` : url);
  const { basic, bearer } = source.auth;
  const vendor: Vendor = vendors[source.vendor];
  const hints = vendor.setupHints?.({
    ...{ url, path: sourcePath(source), source: source.name, bearer: bearer !== undefined },
    basic: basic && { username: basic.username },
  });
  const form = reportOn(formPart(source));
  for (const { setting, enter } of hints ?? []) form.ok(setting, enter);
  await checkReady(url, report);
  return [...report.findings, ...form.findings];
}

/** Undefined where nobody can know it. */
function addressOf({ url, host, port, tls }: Config['receiver']): string | undefined {
  if (url !== undefined) return url.replace(/\/+$/, '');
  if (port === 0) return undefined;
  // Whoever listens at every address is reached by this machine's own.
  const near = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `${tls === undefined ? 'http' : 'https'}://${isIPv6(near) ? `[${near}]` : near}:${port}`;
}

const patience = 5_000;

async function checkReady(url: string, report: PartReport): Promise<void> {
  const what = 'ready';
  try {
    const status = await statusOf(`${url}/ready`);
    if (status === 200) report.ok(what, `it answers at ${url}, and takes what comes`);
    else if (status === 503) {
      report.wrong(
        what,
        `it answers at ${url}, but can put nothing into the inbox`,
        "See to Postgres, and run 'landfall setup'. Until then it tells senders to come again.",
      );
    } else {
      report.wrong(
        what,
        `${url}/ready answers with ${status ?? 'nothing'}, as our receiver does not`,
        'Check receiver.url, and the proxy before the receiver if there is one.',
      );
    }
  } catch (error) {
    const why = reasonOf(error);
    if (/CERT|SELF_SIGNED|ISSUER|ALTNAME/.test(why)) {
      report.wrong(
        what,
        `the certificate at ${url} is not trusted (${why})`,
        'The file receiver.tls.certificate needs those that it stands on, too, and names the host of receiver.url.',
      );
    } else {
      report.wrong(
        what,
        `nothing answers at ${url} (${why})`,
        "Start it with 'landfall receiver'. Where it runs, check receiver.url, and whether this machine may reach it.",
      );
    }
  }
}

async function statusOf(url: string): Promise<number | undefined> {
  const get = url.startsWith('https:') ? getOverHttps : getOverHttp;
  // Not fetch: it refuses ports that browsers do.
  const request = get(url, { agent: false, signal: AbortSignal.timeout(patience) });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.destroy();
  return response.statusCode;
}

function reasonOf(error: unknown): string {
  const { name, code } = error as NodeJS.ErrnoException;
  if (name === 'AbortError') return `no answer within ${patience / 1_000} seconds`;
  return code ?? sentence(error);
}
