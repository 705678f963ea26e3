import { readFile } from 'node:fs/promises';
import { platform } from 'node:os';
import { run } from './commands.js';

/**
 * The name of the program that runs as process `pid`; undefined when there is none. A process that has ended
 * but was not yet reaped counts as none: in a container whose first process reaps nobody, it stays so for ever.
 */
export async function processName(pid: number): Promise<string | undefined> {
  if (platform() === 'linux') {
    // "4711 (postgres) S 1 …": the state follows the name, which may itself hold brackets.
    const line = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    const [, name, state] = /\((.*)\) (\w)/s.exec(line) ?? [];
    return state === 'Z' || state === 'X' ? undefined : name;
  }
  const listed = await run('ps', ['-o', 'stat=,comm=', '-p', String(pid)]);
  const [, state, name] = /^(\S+)\s+(.*\S)/.exec(listed.output.trim()) ?? [];
  return state === undefined || state.startsWith('Z') ? undefined : name;
}
