import { status } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { FleetError } from '../../../src/domain/errors.ts';
import { fromGrpcError, GRPC_CODES, refusalReasonOf, toGrpcStatus } from '../../../src/wire/errors.ts';

describe('errors on the wire', () => {
  it.each(Object.entries(GRPC_CODES))('%s has the number that gRPC gives it, and comes back', (name, code) => {
    expect(status[code]).toBe(name);
    expect(fromGrpcError({ code, details: 'why' })).toMatchObject({ code: name, message: 'why' });
  });

  it('carry the words of a FleetError and of nothing else', () => {
    expect(toGrpcStatus(new FleetError('NOT_FOUND', 'no host x'), 'ref').details).toBe('no host x');
    for (const inside of [new Error('password'), new FleetError('INTERNAL', 'password'), 'password', null]) {
      const { code, details } = toGrpcStatus(inside, 'ref1');
      expect([code, details]).toEqual([13, expect.stringMatching(/^(?!.*password).*ref1/)]);
    }
  });

  it('can always be encoded', () => {
    const { details } = toGrpcStatus(new FleetError('NOT_FOUND', 'name \ud800'), 'ref');
    expect(() => encodeURI(details)).not.toThrow();
  });

  it('of an unknown code are INTERNAL, and keep their text', () => {
    expect(fromGrpcError({ code: 99, details: '', message: 'odd' })).toMatchObject({
      code: 'INTERNAL',
      message: 'odd',
    });
  });

  it('say a reason only from the closed set', () => {
    const withReason = (reason: string) => ({ code: 16, details: 'x', metadata: { get: () => [reason] } });
    expect(refusalReasonOf(fromGrpcError(withReason('revoked')))).toBe('revoked');
    expect(refusalReasonOf(withReason('because'))).toBeNull();
    expect(refusalReasonOf({ code: 16 })).toBeNull();
  });
});
