import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** Names this application to machine-id(5): what it derives identifies the machine to fleet and to nobody else. */
const APPLICATION_ID = Buffer.from('6d8c0b6f5f5b4f0a9a1e4c6d2b7f3e91', 'hex');

/**
 * Application-specific machine id: HMAC-SHA256 of the application id keyed with /etc/machine-id, the first 128 bits
 * as 32 hex digits, as machine-id(5) recommends. An instance is a machine of its own.
 */
export const machineId = (instance: string | null): string =>
  machineIdOf(readFileSync('/etc/machine-id', 'utf8'), instance);

/** The same from the text of another machine's /etc/machine-id. */
export const machineIdOf = (text: string, instance: string | null): string => {
  const key = Buffer.from(text.trim(), 'hex');
  const hash = createHmac('sha256', key).update(APPLICATION_ID);
  if (instance !== null) hash.update(instance);
  return hash.digest('hex').slice(0, 32);
};
