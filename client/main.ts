#!/usr/bin/env node
import { runCommandLine } from './program.js';
import { processTerminal } from './terminal.js';

// A reader that has seen enough (`| head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

// What stderr would say is lost with it; the work is not.
process.stderr.on('error', () => undefined);

// The pinned AWS SDK supports every Node that we do; its notice about later versions of it would only alarm.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';

process.exitCode = await runCommandLine(process.argv.slice(2), processTerminal());
