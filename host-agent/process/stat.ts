/** Parsing of what /proc says, apart from the reading. Nothing here touches a file. */
import { statFields } from '../../src/runtime/stat-fields.ts';

export interface ProcStat {
  pid: number;
  comm: string;
  state: string;
  ppid: number;
  pgid: number;
  tpgid: number;
  cpuTicks: number;
  /** After boot. */
  startTicks: number;
  rssPages: number;
}

/** `/proc/PID/stat`; null for what is none. */
export const parseStat = (text: string): ProcStat | null => {
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  if (open < 1 || close < open) return null;
  const fields = statFields(text);
  const number = (index: number): number => Number(fields[index]);
  const stat = {
    pid: Number.parseInt(text, 10),
    comm: text.slice(open + 1, close),
    state: fields[0] ?? '',
    ppid: number(1),
    pgid: number(2),
    tpgid: number(5),
    cpuTicks: number(11) + number(12),
    startTicks: number(19),
    rssPages: number(21),
  };
  return fields.length > 21 && Number.isFinite(stat.pid + stat.ppid + stat.startTicks) ? stat : null;
};

/** `/proc/PID/cmdline`. A title written over it leaves empty arguments behind, which are none. */
export const parseCmdline = (text: string): string[] => {
  const argv = text.split('\0');
  while (argv.at(-1) === '') argv.pop();
  return argv;
};

/**
 * `/proc/PID/cgroup`: the path in systemd's own hierarchy, on cgroup v1 and hybrid (`name=systemd`) and on v2. Where that
 * one is mounted but names no unit (left over from another init, or empty in a container), the other one is asked.
 */
export const parseCgroup = (text: string): string | null => {
  let named: string | null = null;
  let unified: string | null = null;
  for (const line of text.split('\n')) {
    const match = /^(\d+):([^:]*):(\/.*)$/.exec(line);
    if (!match) continue;
    if (match[2]!.split(',').includes('name=systemd')) named ??= match[3]!;
    if (match[1] === '0' && match[2] === '') unified ??= match[3]!;
  }
  const paths = [named, unified].filter((path) => path !== null);
  return paths.find((path) => UNIT_PART.test(path)) ?? paths[0] ?? null;
};

const UNIT_PART = /\.(?:service|scope|slice)(?:\/|$)/;

/** `btime` of `/proc/stat` in milliseconds. */
export const parseBootMs = (text: string): number | null => {
  const match = /^btime (\d+)$/m.exec(text);
  return match ? Number(match[1]) * 1_000 : null;
};

const AT_PAGESZ = 6n;

/** Page size in bytes of `/proc/self/auxv`: pairs of native words. */
export const parsePageBytes = (auxv: Uint8Array): number | null => {
  const view = new DataView(auxv.buffer, auxv.byteOffset, auxv.byteLength);
  for (let at = 0; at + 16 <= auxv.byteLength; at += 16) {
    if (view.getBigUint64(at, true) === AT_PAGESZ) return Number(view.getBigUint64(at + 8, true));
  }
  return null;
};
