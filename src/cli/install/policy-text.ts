/**
 * A host's policy as text: what it allows, and the same with one thing changed. Every other key stays as it is; what is no
 * policy is not guessed at.
 */
import { FleetError } from '../../domain/errors.ts';
import { CONTROL_LEVELS, type ControlLevel } from '../../domain/host-agent.ts';

export interface PolicyChange {
  control?: ControlLevel | undefined;
  takeover?: boolean | undefined;
  /** The same for callers of other cells. */
  federated?: ControlLevel | undefined;
  federatedTakeover?: boolean | undefined;
}

/** What callers of this cell, and of other cells, may do. */
export interface ShownPolicy {
  control: ControlLevel;
  takeover: boolean;
  federated: ControlLevel;
  federatedTakeover: boolean;
}

interface Document {
  control?: ControlLevel;
  federated?: ControlLevel;
  takeover?: boolean;
  federated_takeover?: boolean;
}

const isLevel = (value: unknown): boolean => CONTROL_LEVELS.includes(value as ControlLevel);
const isBoolean = (value: unknown): boolean => typeof value === 'boolean';
const KEYS: Record<string, (value: unknown) => boolean> = {
  control: isLevel,
  federated: isLevel,
  takeover: isBoolean,
  federated_takeover: isBoolean,
};

/** `text` null: there is no such file. Throws FAILED_PRECONDITION, naming `where`, for what a host-agent would not follow. */
export const readPolicy = (text: string | null, where: string): Document => {
  if (text === null) return {};
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    throw noPolicy(where, 'it is no JSON');
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document))
    throw noPolicy(where, 'it is no JSON object');
  for (const [key, value] of Object.entries(document)) {
    if (!Object.hasOwn(KEYS, key)) throw noPolicy(where, `it has the key ${JSON.stringify(key.slice(0, 40))}`);
    if (!KEYS[key]?.(value)) throw noPolicy(where, `its "${key}" is ${JSON.stringify(value).slice(0, 40)}`);
  }
  return document;
};

const noPolicy = (where: string, why: string): FleetError =>
  new FleetError('FAILED_PRECONDITION', `${where}: ${why}, so that only looking is allowed there: mend it by hand`);

/** As the host-agent judges what is not said. */
export const shownPolicy = (document: Document): ShownPolicy => {
  const { control = 'lifecycle', takeover = true, federated = 'observe', federated_takeover = false } = document;
  return { control, takeover, federated, federatedTakeover: federated_takeover };
};

/** What is shown, after a change. */
export const changedPolicy = (before: ShownPolicy, change: PolicyChange): ShownPolicy => ({
  control: change.control ?? before.control,
  takeover: change.takeover ?? before.takeover,
  federated: change.federated ?? before.federated,
  federatedTakeover: change.federatedTakeover ?? before.federatedTakeover,
});

/** Callers of other cells only look, unless the file says otherwise. */
export const policyText = (document: Document, change: PolicyChange): string => {
  const { control, takeover, federated, federatedTakeover } = change;
  const changed = { control, takeover, federated, federated_takeover: federatedTakeover };
  const asked = Object.fromEntries(Object.entries(changed).filter(([, value]) => value !== undefined));
  return `${JSON.stringify({ control: shownPolicy(document).control, federated: 'observe', ...document, ...asked })}\n`;
};
