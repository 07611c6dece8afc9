import { FleetError } from '../../src/domain/errors.ts';
import type { RefusalReason } from '../../src/wire/errors.ts';

/** A refusal: generic words for the wire, and what a receiver with a certificate of the cell may know. */
export class Refusal extends FleetError {
  readonly reason: RefusalReason | null;

  constructor(code: 'UNAUTHENTICATED' | 'PERMISSION_DENIED' | 'UNAVAILABLE', reason: RefusalReason | null) {
    const words = {
      UNAUTHENTICATED: 'not accepted: this call needs a valid certificate of this cell',
      PERMISSION_DENIED: 'not permitted: fleet whoami says who you are, and what you may',
      UNAVAILABLE: 'the controller is stopping',
    };
    super(code, words[code]);
    this.reason = reason;
  }
}
