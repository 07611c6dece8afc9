/** What to type for each thing that keeps an agent from starting, or will hurt it once it has. */
import type { Readiness } from '../../src/domain/agent-row.ts';
import type { FindingCode } from '../launch/preflight-file.ts';

export interface MendGround {
  name: string;
  readiness: Readiness | (string & {});
  /** Operator data: `agents/NAME.env`. */
  envFile: string;
  /** Its file of secrets, as the roster writes it. */
  secretsFile: string | null;
}

/** `blocking`: it keeps the agent from starting. */
export const launchMend = (code: FindingCode, blocking: boolean, ground: MendGround): string => {
  const words = MENDS[code]?.(ground) ?? 'correct its entry in the roster';
  return blocking ? `${words}; then ${againOf(ground)}` : words;
};

const againOf = ({ name, readiness }: MendGround): string =>
  readiness === 'dead' ? `fleet start ${name}` : `fleet restart ${name} when it can be spared`;

const MENDS: Partial<Record<FindingCode, (ground: MendGround) => string>> = {
  program: ({ envFile }) => `put the folder of it into MOSAIC_RUNTIME_BIN of ${envFile}, or install it`,
  workdir: () => 'make that folder, or name another as its working_directory in the roster',
  'env-file': ({ envFile }) => `correct ${envFile}`,
  socket: ({ envFile }) => `correct ${envFile}`,
  secrets: ({ secretsFile }) => `correct ${secretsFile ?? 'its env_file'}, and chmod 600 it`,
  trust: ({ name, readiness }) =>
    `${readiness === 'dead' ? `fleet start ${name}, then ` : ''}fleet attach ${name}, and answer its prompt there`,
  detached: () => 'nothing, if it lasts; else another runtime or command in the roster',
};
