/** The steps of a rotation as an administrator takes them, and how it stands between them. */
import { authorityStatus, rotateAuthority } from '../../src/cli/client/admin-methods.ts';
import type { AuthorityHolder, AuthorityStanding } from '../../src/wire/gen/fleet/v1/rotation.ts';
import type { RunningController } from './run-controller.ts';
import { until } from './until.ts';

const SOON = { timeoutMs: 60_000 };

export const rotate = async (cell: RunningController, step: string, force = false): Promise<AuthorityStanding> => {
  const request = { step, force };
  const ask = cell.ask(rotateAuthority, request);
  return (await ask).standing as AuthorityStanding;
};

export const rotationOf = async (cell: RunningController): Promise<AuthorityStanding> => {
  const ask = cell.ask(authorityStatus, {});
  return (await ask).standing as AuthorityStanding;
};

/** Until every host that is connected has what the next step waits for. */
export const untilAll = (cell: RunningController, what: 'trusts' | 'renewed', hosts: number): Promise<true> =>
  until(async () => {
    const connected = (await rotationOf(cell)).holders.filter((holder: AuthorityHolder) => holder.connected);
    return connected.length === hosts && connected.every((holder) => holder[what]);
  }, SOON);
