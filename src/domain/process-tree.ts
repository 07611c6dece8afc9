/** A process as the judging of panes needs it; the port's ProcessTree has at least this shape. */
export interface SeenProcess {
  pid: number;
  ppid: number;
  pgid: number;
  /** Foreground process group of its terminal; below 1 without one. */
  tpgid: number;
  /** R, S, D, Z, T … */
  state: string;
  comm: string;
  exe: string | null;
  argv: readonly string[];
}

/** A pane's process and its descendants, root first. */
export interface SeenTree {
  processes: readonly SeenProcess[];
}
