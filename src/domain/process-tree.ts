/** A process as the judging of panes needs it. */
export interface SeenProcess {
  pid: number;
  ppid: number;
  pgid: number;
  /** Foreground process group of its terminal; below 1 without one. */
  tpgid: number;
  /** R, S, D, Z, T … */
  state: string;
  comm: string;
  /** Target of /proc/PID/exe, null where it may not be read. */
  exe: string | null;
  argv: readonly string[];
}

/** A pane's process and its descendants, root first. */
export interface SeenTree {
  processes: readonly SeenProcess[];
}
