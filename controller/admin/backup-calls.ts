/** BackUp, while no step of a rotation is taken. */
import type { AdminServiceService } from '../../src/wire/gen/fleet/v1/admin.ts';
import { type BackUpContext, backUp } from '../backup/back-up.ts';
import type { Rotation } from '../enrollment/rotation.ts';
import type { Handlers, Targets } from '../grpc/handlers.ts';

type Definition = typeof AdminServiceService;

export const BACKUP_TARGETS: Targets<Definition> = { backUp: ({ path }) => path.slice(0, 256) };

export const backupHandlers = (
  context: BackUpContext,
  rotation: Pick<Rotation, 'inTurn'>,
): Pick<Handlers<Definition>, 'backUp'> => ({
  backUp: async (_caller, { path }) => {
    const { cell, madeMs, bytes, fingerprint, hosts, audit } = await rotation.inTurn(() => backUp(path, context));
    return { path, cell, madeMs, bytes, fingerprint, hosts, auditSequence: BigInt(audit.sequence) };
  },
});
