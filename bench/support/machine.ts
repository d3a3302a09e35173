/**
 * What the system says of a process, from outside it: CPU time of the whole and of each thread by name,
 * resident memory; and a clock that all processes of this machine share. Linux only, as the figures are.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';

/** Ticks a second of the times in /proc, USER_HZ: 100 on every Linux that Node runs on. */
const TICKS = 100;
/** Fields of /proc/…/stat after the command's name; proc(5) counts from 1 and the name is the second. */
const UTIME = 14 - 3;
const STIME = 15 - 3;

/** Milliseconds of a monotonic clock that is the same in every process (CLOCK_MONOTONIC). */
export function machineMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

function cpuSecondsOf(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[UTIME]) + Number(fields[STIME])) / TICKS;
}

export function cpuSeconds(pid: number): number {
  return cpuSecondsOf(readFileSync(`/proc/${pid}/stat`, 'latin1'));
}

/** CPU seconds by the name of the thread; threads of one name together. */
export function threadCpuSeconds(pid: number): ReadonlyMap<string, number> {
  const byName = new Map<string, number>();
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    const stat = readFileSync(`/proc/${pid}/task/${task}/stat`, 'latin1');
    const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
    byName.set(name, (byName.get(name) ?? 0) + cpuSecondsOf(stat));
  }
  return byName;
}

export function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN) * 1024;
}

/** Processes that are ready to run, over the last minute: how quiet the machine is. */
export function loadAverage(): number {
  return Number(readFileSync('/proc/loadavg', 'latin1').split(' ')[0]);
}

export function machineText(): string {
  return `${cpus().length} × ${cpus()[0]?.model ?? 'unknown CPU'}`;
}
