import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';

export interface Program {
  readonly child: ChildProcess;
  /** The first line that it prints. */
  readonly firstLine: Promise<string>;
  readonly stop: () => Promise<void>;
}

/** Runs a Node program that ends when its standard input does, or on SIGTERM. */
export function startProgram(args: readonly string[], env: Readonly<Record<string, string>> = {}): Program {
  const child = spawn(process.execPath, args, {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
  const lines = createInterface({ input: child.stdout });
  const firstLine = once(lines, 'line').then(([line]) => String(line));
  const ended = once(child, 'close');
  return {
    child,
    firstLine,
    stop: async () => {
      child.stdin.end();
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** The most memory that a process has had resident, in bytes; undefined where the system does not tell. */
export async function peakMemory(pid: number): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
}

/** Processor time of another process so far; Linux alone tells. */
export async function processorSeconds(pid: number): Promise<number> {
  const fields = await statOf(pid);
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** The same with all processes that it has started, ended ones too. */
export async function processorSecondsOfAll(pid: number): Promise<number> {
  const own = await statOf(pid);
  const children = await childrenOf(pid);
  const ofChildren = children.map((child) => processorSeconds(child).catch(() => 0));
  const ended = (Number(own[13]) + Number(own[14])) / 100;
  return (await Promise.all([processorSeconds(pid), ...ofChildren])).reduce((sum, one) => sum + one, ended);
}

async function childrenOf(pid: number): Promise<number[]> {
  const all = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const parents = await Promise.all(all.map((one) => statOf(one).catch(() => [])));
  return all.filter((_, index) => Number(parents[index]?.[1]) === pid);
}

/** From the third field on: a name may hold anything. */
async function statOf(pid: number): Promise<readonly string[]> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8');
  return text.slice(text.lastIndexOf(') ') + 2).split(' ');
}
