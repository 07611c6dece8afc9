/**
 * A reader's place in a log as a word that says nothing else: the revision counts everybody's changes, also those of which
 * this reader must not know. Good for the same log and the same scope alone.
 */
import { createCipheriv, createDecipheriv, createHash, createSecretKey, randomBytes } from 'node:crypto';

/** One block: no two places have one word, and none can be made up. */
const CIPHER = 'aes-128-ecb';
const HALF_BYTES = 8;
const TOKEN = /^[0-9a-f]{32}$/;

export class ResumeTokens {
  readonly #key = createSecretKey(randomBytes(2 * HALF_BYTES));

  seal(revision: bigint, scope: string): string {
    const block = Buffer.alloc(2 * HALF_BYTES);
    block.writeBigUInt64BE(revision);
    markOf(scope).copy(block, HALF_BYTES);
    const cipher = createCipheriv(CIPHER, this.#key, null).setAutoPadding(false);
    return Buffer.concat([cipher.update(block), cipher.final()]).toString('hex');
  }

  /** null: it is none of this log, or of another scope. */
  open(token: string, scope: string): bigint | null {
    if (!TOKEN.test(token)) return null;
    const cipher = createDecipheriv(CIPHER, this.#key, null).setAutoPadding(false);
    const block = Buffer.concat([cipher.update(Buffer.from(token, 'hex')), cipher.final()]);
    return block.subarray(HALF_BYTES).equals(markOf(scope)) ? block.readBigUInt64BE() : null;
  }
}

const markOf = (scope: string): Buffer => createHash('sha256').update(scope).digest().subarray(0, HALF_BYTES);
