/** The holder of the shared tmux server of one host-agent, as `--holder HOST` or `HOST/USER` names it. It is no row. */
import { encodePart, formatAddress } from '../../domain/address.ts';
import { FleetError } from '../../domain/errors.ts';
import { HOLDER_UNIT, holderKey } from '../../domain/holder.ts';
import { systemClock } from '../../runtime/clock.ts';
import type { ViewMirror } from '../client/view-mirror.ts';
import type { OrderPlace } from '../orders/change-target.ts';

/** Of the cell at home. Throws NOT_FOUND for a host that is none, or that several users have. */
export const holderPlace = (mirror: ViewMirror, named: string): OrderPlace => {
  const nowMono = systemClock.monotonicMs();
  const fits = [...mirror.hostAgentIds()]
    .flatMap((id) => mirror.momentOf(id, nowMono) ?? [])
    .filter(({ host }) => host.cell === mirror.cell && [host.host, host.id].includes(named));
  const [moment, ...others] = fits;
  if (moment === undefined) {
    throw new FleetError('NOT_FOUND', `no host ${named} is known here: fleet hosts lists the hosts`);
  }
  if (others.length > 0) {
    const users = fits.map(({ host }) => host.id).join(', ');
    throw new FleetError('NOT_FOUND', `several users have agents on ${named}: name one of ${users}`);
  }
  const { cell, host, user, id, here } = moment.host;
  const address = formatAddress({ cell, host, user, agent: HOLDER_UNIT });
  const typed = address.slice(encodePart(cell).length + 1);
  return { address, typed, cell, hostAgent: id, key: holderKey(), here, moment };
};
