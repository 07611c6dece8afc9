/** A unit as systemd has it at this moment. */
export interface UnitNow {
  name: string;
  /** loaded, not-found, masked, bad-setting … */
  loadState: string;
  activeState: string;
  subState: string;
  /** success, exit-code, timeout, start-limit-hit … */
  result: string | null;
  mainPid: number | null;
  /** Exit status of its last main process, or the number of the signal that ended it. */
  exitStatus: number | null;
  isOneshot: boolean;
  /** Its processes end with it: they do in modes control-group and mixed. */
  killsGroup: boolean;
  /** Pids of all that runs in it. */
  processes: number[];
  /** Units that systemd stops together with it, directly. */
  stopsAlong: string[];
}
