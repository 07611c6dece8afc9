/** What ssh says when it cannot connect, as an error that a person can act on. */
import { FleetError } from '../../domain/errors.ts';

export const sshFailure = (
  machine: string,
  said: string,
  key: { type: string; fingerprint: string } | null,
  late: boolean,
): FleetError => {
  const shown = key ? `it shows ${key.type} ${key.fingerprint}` : 'it showed no key';
  if (/HOST IDENTIFICATION HAS CHANGED|Offending .* key in/i.test(said)) {
    return new FleetError(
      'UNAUTHENTICATED',
      `the host key of ${machine} has changed: ${shown}; if that is right, remove the old one with ssh-keygen -R`,
    );
  }
  if (/Host key verification failed|No .* host key is known/i.test(said)) {
    const next = key ? `; if that is its key, add --host-key ${key.fingerprint}` : '';
    return new FleetError('UNAUTHENTICATED', `ssh does not know the host key of ${machine}: ${shown}${next}`);
  }
  if (/Permission denied|Too many authentication failures|No supported authentication/i.test(said)) {
    return new FleetError(
      'PERMISSION_DENIED',
      `${machine} accepts none of your ssh keys: put one there (ssh-copy-id ${machine}) or name it with --identity`,
    );
  }
  if (/Could not resolve hostname/i.test(said)) {
    return new FleetError('NOT_FOUND', `no machine is called ${machine.slice(machine.lastIndexOf('@') + 1)} here`);
  }
  const why = late ? 'no answer in time' : said.replace(/^ssh: /, '') || 'ssh ended without a word';
  return new FleetError('UNAVAILABLE', `cannot connect to ${machine}: ${why}`);
};
