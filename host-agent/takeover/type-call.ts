/** TypeKeys: strokes of whoever has the keyboard, checked before the first is typed. */
import { FleetError } from '../../src/domain/errors.ts';
import { checkStrokes } from '../../src/domain/key-stroke.ts';
import type { TypeKeysRequest, TypeKeysResponse } from '../../src/wire/gen/fleet/v1/orders.ts';
import type { CallContext } from '../calls/own-calls.ts';
import { takeoverRefusal } from '../policy/host-policy.ts';
import type { HoldOptions } from './hold-call.ts';

/**
 * Resolves when tmux has typed them. Throws FAILED_PRECONDITION when the takeover is over or was somebody else's,
 * INVALID_ARGUMENT for strokes that are none. After another error it is not known how much was typed, and the takeover
 * has ended.
 */
export const typeKeys = async (
  { holds, policy, host }: Pick<HoldOptions, 'holds' | 'policy' | 'host'>,
  request: TypeKeysRequest,
  { origin }: CallContext,
): Promise<TypeKeysResponse> => {
  const strokes = checkStrokes(request.strokes);
  const hold = holds.get(request.lease);
  const isTheirs = hold?.lease.holder.actor === origin.actor && hold.lease.key === request.target?.key;
  if (!hold || !isTheirs || hold.lease.end !== null) {
    throw new FleetError('FAILED_PRECONDITION', 'this takeover has ended: nothing was typed');
  }
  const refusal = takeoverRefusal(policy(), origin, host());
  if (refusal !== null) {
    hold.lease.finish({ reason: 'policy', detail: refusal });
    throw new FleetError('FAILED_PRECONDITION', refusal);
  }
  await hold.typist.type(request.sequence, strokes);
  return { sequence: request.sequence };
};
