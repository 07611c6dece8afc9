/** Calls of FleetService about what hosts that are away shall be told. */
import { FleetError } from '../../src/domain/errors.ts';
import type { FleetServiceService } from '../../src/wire/gen/fleet/v1/fleet.ts';
import type { Handlers } from '../grpc/handlers.ts';

export const desiredHandlers = (): Pick<Handlers<typeof FleetServiceService>, 'putIntent' | 'getIntent'> => {
  const absent = (): never => {
    throw new FleetError('UNIMPLEMENTED', 'this controller keeps no intents');
  };
  return { putIntent: absent, getIntent: absent };
};
