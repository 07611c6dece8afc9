/** What the steps of `host add` share: what was asked, the connection, and what was found before any change. */
import { FleetError } from '../../domain/errors.ts';
import type { ControlLevel } from '../../domain/host-agent.ts';
import type { Paths } from '../../runtime/paths.ts';
import type { ControllerStatusResponse } from '../../wire/gen/fleet/v1/admin_messages.ts';
import type { EnrolledAs } from '../install/enrolment.ts';
import type { ShippedVersion } from '../install/shipped-version.ts';
import type { Steps } from '../install/steps.ts';
import type { MachineFacts } from './preflight.ts';
import type { SshSession } from './ssh-session.ts';

export const SCRIPT_TIMEOUT_MS = 30_000;

export interface AddOptions {
  name: string | undefined;
  tenant: string | undefined;
  control: ControlLevel | undefined;
  link: 'auto' | 'dial' | 'ssh';
  listen: string | undefined;
  advertise: readonly string[];
  replace: boolean;
  dryRun: boolean;
}

export interface AddContext {
  paths: Paths;
  shipped: ShippedVersion;
  steps: Steps;
  session: SshSession;
  options: AddOptions;
  signal: AbortSignal;
}

/** What it takes to bring Node.js and this version there. */
export type InstallContext = Pick<AddContext, 'paths' | 'shipped' | 'steps' | 'session' | 'signal'> & {
  options: Pick<AddOptions, 'dryRun'>;
};

/** What is known of the machine before anything is changed. */
export interface Survey {
  facts: MachineFacts;
  controller: ControllerStatusResponse;
  /** Name in the cell. */
  host: string;
  /** null: enrolled nowhere, revoked, or with another controller that `--replace` leaves. */
  enrolled: EnrolledAs | null;
}

/** A script that has to end well; `what` says what it means when it does not. */
export const must = async <T extends { exitCode: number | null; stderr: string }>(
  run: Promise<T>,
  what: string,
): Promise<T> => {
  const result = await run;
  if (result.exitCode === 0) return result;
  throw new FleetError(
    'FAILED_PRECONDITION',
    `${what}: ${result.stderr.trim().split('\n').at(-1) ?? 'no reason given'}`,
  );
};
