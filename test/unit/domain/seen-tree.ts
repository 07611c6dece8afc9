import type { SeenProcess, SeenTree } from '../../../src/domain/process-tree.ts';

export interface Planted {
  /** Command line, split at blanks; the first word is the executable too unless `exe` says otherwise. */
  run: string;
  exe?: string | null;
  argv?: string[];
  state?: string;
  comm?: string;
  /** Its own process group, in front of the terminal or not; otherwise its parent's. */
  group?: 'front' | 'back';
  below?: Planted[];
}

const EXECUTABLE: Record<string, string> = {
  node: '/usr/bin/node',
  bun: '/usr/bin/bun',
  python3: '/usr/bin/python3.11',
};

/** A process tree written as it looks in `ps --forest`; without any group it is all in the foreground. */
export const seenTree = (root: Planted): SeenTree => {
  const processes: SeenProcess[] = [];
  let front = 100;
  const plant = (planted: Planted, ppid: number, parentGroup: number): void => {
    const pid = 100 + processes.length;
    const pgid = planted.group === undefined ? parentGroup : pid;
    if (planted.group === 'front') front = pid;
    const argv = planted.argv ?? planted.run.split(' ');
    const exe = planted.exe === undefined ? (EXECUTABLE[argv[0]!] ?? argv[0]!.replace(/^-/, '/bin/')) : planted.exe;
    const comm = planted.comm ?? argv[0]!.slice(0, 15);
    processes.push({ pid, ppid, pgid, tpgid: 0, state: planted.state ?? 'S', comm, exe, argv });
    for (const child of planted.below ?? []) plant(child, pid, pgid);
  };
  plant(root, 1, 100);
  return { processes: processes.map((process) => ({ ...process, tpgid: front })) };
};
