/** What became of an order, by its id: of whoever knows of it; and of one that is repeated when its agent cannot be named any more. */
import { mayBeOn, type PartialAddress, parseAddress } from '../../domain/address.ts';
import { FleetError } from '../../domain/errors.ts';
import type { Paths } from '../../runtime/paths.ts';
import type { OrderOutcome } from '../../wire/gen/fleet/v1/orders.ts';
import { askHostAgent } from '../ask.ts';
import { getOrder } from '../client/order-methods.ts';
import { controllerOf } from './order-line.ts';

const DEADLINE_MS = 10_000;

/** The host-agent knows its own orders and asks its controller for others; a controller here knows what it was given. */
export const orderOfId = async (paths: Paths, id: string, signal: AbortSignal): Promise<OrderOutcome> => {
  const call = { deadlineMs: DEADLINE_MS, signal };
  try {
    return await askHostAgent(paths, getOrder, { id }, call);
  } catch (error) {
    if (!(error instanceof FleetError) || signal.aborted) throw error;
    using controller = await controllerOf(paths, null, signal);
    if (controller === null) throw error;
    return await controller.unary(getOrder, { id }, call);
  }
};

/** null where no such order to that agent is known. */
export const toldBefore = async (
  paths: Paths,
  { id, verb, typed }: { id: string; verb: string; typed: string },
  signal: AbortSignal,
): Promise<OrderOutcome | null> => {
  try {
    const told = await orderOfId(paths, id, signal);
    return told.verb === verb && isMeant(parseAddress(typed), told.address) ? { ...told, id, repeated: true } : null;
  } catch (error) {
    if (signal.aborted || !(error instanceof FleetError)) throw error;
    return null;
  }
};

/** Throws INVALID_ARGUMENT where `whole` is no address. */
const isMeant = (typed: PartialAddress, whole: string): boolean => {
  const { qualifiers, agent } = parseAddress(whole);
  const [cell = '', host = '', user = ''] = qualifiers;
  return typed.agent === agent && mayBeOn(typed, { cell, host, user });
};
