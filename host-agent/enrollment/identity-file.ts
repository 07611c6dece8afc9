/**
 * Who this host-agent is, on disk: the key in a file of its own, all else in one file replaced as a whole, so that
 * no reader ever meets half a renewal. Also what local rows carry while no controller can be asked.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { FleetError } from '../../src/domain/errors.ts';
import { writePrivateFile } from '../../src/identity/private-file.ts';

const identitySchema = z.object({
  cell: z.string(),
  host: z.string(),
  user: z.string(),
  tenantId: z.string(),
  /** Of the controller, best first: host:port, or unix:/path where a tunnel ends. */
  addresses: z.array(z.string()),
  certificatePem: z.string(),
  trustBundlePem: z.string(),
});

export type EnrolledIdentity = z.infer<typeof identitySchema>;

export class IdentityFile {
  readonly folder: string;

  /** `folder`: `<state>/host-agent`. */
  constructor(folder: string) {
    this.folder = folder;
  }

  get keyPath(): string {
    return join(this.folder, 'key.pem');
  }

  get path(): string {
    return join(this.folder, 'identity.json');
  }

  /** null: not enrolled. DATA_LOSS when there is a file that is no identity. */
  async load(): Promise<EnrolledIdentity | null> {
    let text: string;
    try {
      text = await readFile(this.path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
    try {
      return identitySchema.parse(JSON.parse(text));
    } catch (cause) {
      throw new FleetError('DATA_LOSS', `${this.path} is no identity: enrol this host anew with "fleet host join"`, {
        cause,
      });
    }
  }

  async save(identity: EnrolledIdentity): Promise<void> {
    await writePrivateFile(this.path, `${JSON.stringify(identity, null, 2)}\n`);
  }
}
