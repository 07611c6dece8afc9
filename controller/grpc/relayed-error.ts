import { FleetError } from '../../src/domain/errors.ts';

/** A host's own words. They may quote a screen: the caller is told them, and no log or record keeps them. */
export class RelayedError extends FleetError {
  override readonly name = 'RelayedError';
}

/** What may be kept of why a call failed. */
export const keptReason = (error: FleetError): string =>
  error instanceof RelayedError ? `its host said ${error.code}` : error.message;
