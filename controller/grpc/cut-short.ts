import { FleetError } from '../../src/domain/errors.ts';

/** What ended a change in its midst, so that nobody here knows whether it was made. Its caller is told the reason alone. */
export class CutShort extends FleetError {
  override readonly name = 'CutShort';
  readonly why: FleetError;

  constructor(why: FleetError) {
    super(why.code, why.message, { cause: why.cause });
    this.why = why;
  }
}
