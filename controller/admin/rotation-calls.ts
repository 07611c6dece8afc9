/** RotateAuthority and AuthorityStatus; whom the cell trusts, for those who have no uplink to hear it by. */
import { FleetError } from '../../src/domain/errors.ts';
import type { AdminServiceService } from '../../src/wire/gen/fleet/v1/admin.ts';
import { ROTATION_STEPS, type Rotation } from '../enrollment/rotation.ts';
import type { Handlers, Targets } from '../grpc/handlers.ts';

type Definition = typeof AdminServiceService;

export const ROTATION_TARGETS: Targets<Definition> = {
  rotateAuthority: ({ step, force }) => `${step.slice(0, 16)}${force ? ' by force' : ''}`,
  authorityStatus: () => 'authorities',
};

export const rotationHandlers = (
  rotation: Rotation,
): Pick<Handlers<Definition>, 'rotateAuthority' | 'authorityStatus'> => ({
  rotateAuthority: async (_caller, { step: named, force }, { signal }) => {
    const step = ROTATION_STEPS.find((known) => known === named);
    if (step === undefined) {
      throw new FleetError('INVALID_ARGUMENT', `step ${JSON.stringify(named)}: one of ${ROTATION_STEPS.join(', ')}`);
    }
    return { standing: await rotation.take(step, force, signal) };
  },
  authorityStatus: () => ({ standing: rotation.standing() }),
});
