/** The takeover room over agents as they were given, with the pane locks that the orders of `folder` have, too. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { PaneLocks } from '../../../host-agent/command/pane-lock.ts';
import { Takeover } from '../../../host-agent/takeover/takeover.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import type { KnownAgent } from '../host-agent/command/order-ground.ts';
import { OPEN_POLICY, recordsIn } from './stage.ts';

const NOTHING: Disposable = { [Symbol.dispose]: () => undefined };

export const takeoverOf = (folder: string, agents: ReadonlyMap<string, KnownAgent>): Takeover => {
  const locks = new PaneLocks(join(folder, 'panes'));
  const lent = join(folder, `lent-${process.pid}`);
  mkdirSync(lent, { recursive: true });
  return new Takeover({
    panes: {
      row: (key) => agents.get(key)?.row,
      pane: (key) => agents.get(key)?.pane,
      onChange: () => NOTHING,
    },
    policy: () => OPEN_POLICY,
    host: () => 'W-jarvis',
    clock: systemClock,
    log: silentLogger(),
    uid: process.getuid!(),
    folder: lent,
    isFollowed: () => false,
    onServers: () => NOTHING,
    records: recordsIn(lent).records,
    quiet: (pane, signal, who) => locks.take(pane, signal, who),
  });
};
