/**
 * The wiring of who gets a certificate of this cell, and of whom they trust by it: enrolment, and the rotation of the
 * cell's authority. Nothing is decided here.
 */
import type { Authorities } from '../src/identity/authorities.ts';
import type { Composition } from '../src/runtime/composition.ts';
import type { EnrollmentServiceService } from '../src/wire/gen/fleet/v1/enrollment.ts';
import { Enrollment, type EnrollmentContext } from './enrollment/enrollment.ts';
import { endOverTokens } from './enrollment/open-tokens.ts';
import { Rotation, type RotationContext } from './enrollment/rotation.ts';
import type { Handlers } from './grpc/handlers.ts';

/** How soon tokens that nobody used are ended for good. */
const LOOK_MS = 1_000;

type Own = 'authority' | 'retired' | 'log';

export interface EnrollmentParts
  extends Composition,
    Omit<EnrollmentContext, Own>,
    Pick<RotationContext, 'isConnected' | 'isPeerConnected' | 'changed'> {
  authority: Authorities;
}

export const composeEnrollment = (parts: EnrollmentParts) => {
  const { authority, records, audit, limit, clock, part, shutdown, addresses, leafLifetimeMs } = parts;
  const { isConnected, isPeerConnected, changed } = parts;
  const rotation = new Rotation({
    authorities: authority,
    records,
    clock,
    log: part('rotation'),
    isConnected,
    isPeerConnected,
    changed,
  });
  const enrollment = new Enrollment({
    authority,
    retired: () => authority.retired,
    records,
    audit,
    limit,
    clock,
    log: part('enrollment'),
    addresses,
    leafLifetimeMs,
  });
  const endOver = (): void => {
    endOverTokens(records, clock.nowMs()).catch((err: unknown) =>
      part('enrollment').error({ err }, 'tokens not ended'),
    );
  };
  endOver();
  const timer = setInterval(endOver, LOOK_MS);
  shutdown.add('tokens', () => clearInterval(timer));
  const handlers: Pick<Handlers<typeof EnrollmentServiceService>, 'enroll' | 'renew' | 'getTrustBundle'> = {
    enroll: (caller, request) => enrollment.enroll(caller, request),
    renew: (caller, request) => enrollment.renew(caller, request),
    getTrustBundle: ({ spiffeId }) => rotation.tell(spiffeId),
  };
  /** A host-agent said whom it trusts. */
  const heard = (id: string, trusted: readonly string[]): void => {
    rotation.heard(id, trusted).catch((err: unknown) => part('rotation').error({ err, hostAgent: id }, 'not kept'));
  };
  return { rotation, handlers, heard };
};
