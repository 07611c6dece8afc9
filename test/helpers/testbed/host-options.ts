import type { RootVariant } from './root-fs.ts';

export interface UserOptions {
  name: string;
  uid: number;
  /** Enabled by the user as themselves; by root on a `no-polkit` host. Default false. */
  linger?: boolean;
}

export interface HostOptions {
  users: UserOptions[];
  root?: RootVariant;
  /** What the host may write in all, held in memory; default 1536. */
  diskMiB?: number;
  /** Makes `moveClock` possible: every program of the host then runs on a clock of the host's own. */
  ownClock?: boolean;
  /** Ships the Node that runs the tests as /usr/local/bin/node. */
  node?: boolean;
}
