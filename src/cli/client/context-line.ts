/**
 * The line of a context: dialled, and its certificate kept fresh on the way, at two thirds of its life or after its end,
 * with the same key. What the controller says of its addresses and authorities is kept.
 */
import { createPrivateKey } from 'node:crypto';
import { BugError } from '../../domain/errors.ts';
import { readCertificate, renewalDueMs, splitPem } from '../../identity/certificate.ts';
import { makeCsr } from '../../identity/csr.ts';
import { knownAddresses } from '../../identity/known-addresses.ts';
import { isOfSigner } from '../../identity/trust.ts';
import type { Paths } from '../../runtime/paths.ts';
import { type HeldContext, readContext, saveContext, trustSavedMs } from './context-files.ts';
import { type DialLimits, dialController, type OpenLine } from './dial-controller.ts';
import { getTrustBundle, renew } from './enrollment-methods.ts';
import { GrpcChannel } from './grpc-channel.ts';
import type { Call, HeaderFields, Transport } from './transport.ts';

const RENEW_DEADLINE_MS = 5_000;
/** An administrator may go over to another authority within minutes. */
const TRUST_MS = 60_000;
/** Between two looks at whom to trust, and at the certificate, while a line stands: its streams live on with the newest of its key. */
const LOOK_MS = 60_000;

/** Throws UNAVAILABLE where no address answers, and the controller's refusal to renew what has run out. */
export const openContext = async (
  paths: Paths,
  name: string,
  limits: DialLimits,
  { lookMs = LOOK_MS }: { lookMs?: number } = {},
): Promise<OpenLine> => {
  let held = await readContext(paths, name);
  if (lifeOf(held) === 'over') {
    const line = await dial(held, limits, { asStranger: true });
    try {
      held = await renewed(held, line);
    } finally {
      line.transport[Symbol.dispose]();
    }
  }
  let line = await dial(held, limits, { asStranger: false });
  try {
    if (!isOfSigner(line.certificatePem, held.trustBundlePem)) {
      // Another authority signs by now; the one of before may be trusted no more.
      held = await renewed(held, line);
      line.transport[Symbol.dispose]();
      line = await dial(held, limits, { asStranger: false });
    }
    held = await keepFirst(held, line.address);
    held = await withTrust(held, line);
    if (lifeOf(held) === 'due') await renewed(held, line);
  } catch (error) {
    triedAgain(error);
  }
  return { ...line, transport: new FreshTransport(line.transport, lookMs, () => look(paths, name, line)) };
};

const dial = (held: HeldContext, limits: DialLimits, { asStranger }: { asStranger: boolean }): Promise<OpenLine> => {
  const { cell, trustBundlePem, keyPem, certificatePem, addresses, name } = held;
  const proof = asStranger ? { certificatePem: null, keyPem: null } : { certificatePem, keyPem };
  return dialController(addresses, { cell, trustBundlePem, ...proof }, `controller of context ${name}`, limits);
};

const lifeOf = ({ certificatePem }: HeldContext): 'fresh' | 'due' | 'over' => {
  const facts = readCertificate(certificatePem);
  const nowMs = Date.now();
  return nowMs >= facts.notAfterMs ? 'over' : nowMs >= renewalDueMs(facts) ? 'due' : 'fresh';
};

/** Whom to trust, asked once a minute at most: a context that is used while the cell's authority changes comes along. */
const withTrust = async (held: HeldContext, line: OpenLine): Promise<HeldContext> => {
  if (Date.now() - (await trustSavedMs(held.folder)) < TRUST_MS) return held;
  const { trustBundlePem } = await channelOf(line).unary(getTrustBundle, {}, { deadlineMs: RENEW_DEADLINE_MS });
  if (splitPem(trustBundlePem).length === 0) return held;
  const next = { ...held, trustBundlePem };
  await saveContext(held.folder, next);
  return next;
};

/** The line is its owner's: the channel is left, not closed. */
const channelOf = ({ transport, address }: OpenLine): GrpcChannel => {
  const at = { open: async () => ({ transport, address }), called: address };
  return new GrpcChannel({ at, what: 'controller', mend: '' });
};

const renewed = async (held: HeldContext, line: OpenLine): Promise<HeldContext> => {
  const csr = makeCsr(createPrivateKey(held.keyPem));
  const request = { csr, machineId: '', expiredCertificatePem: held.certificatePem };
  const answer = await channelOf(line).unary(renew, request, { deadlineMs: RENEW_DEADLINE_MS });
  const { certificatePem, trustBundlePem } = answer;
  const addresses = knownAddresses(line.address, answer.addresses, held.addresses);
  const next = { ...held, certificatePem, trustBundlePem, addresses };
  await saveContext(held.folder, next);
  return next;
};

/** What has worked is dialled first the next time. */
const keepFirst = async (held: HeldContext, worked: string): Promise<HeldContext> => {
  if (held.addresses[0] === worked) return held;
  const next = { ...held, addresses: [worked, ...held.addresses.filter((address) => address !== worked)] };
  await saveContext(held.folder, next);
  return next;
};

const look = async (paths: Paths, name: string, line: OpenLine): Promise<void> => {
  const held = await withTrust(await readContext(paths, name), line);
  const isOfNow = isOfSigner(held.certificatePem, held.trustBundlePem);
  if (!isOfNow || lifeOf(held) !== 'fresh') await renewed(held, line);
};

/** While the certificate lives, a disk or a controller that fails has time to mend. */
const triedAgain = (error: unknown): void => {
  if (error instanceof BugError) throw error;
};

class FreshTransport implements Transport {
  readonly #inner: Transport;
  readonly #timer: NodeJS.Timeout;

  constructor(inner: Transport, lookMs: number, look: () => Promise<void>) {
    this.#inner = inner;
    this.#timer = setInterval(() => void look().catch(triedAgain), lookMs).unref();
  }

  get isOpen(): boolean {
    return this.#inner.isOpen;
  }

  call(fields: HeaderFields, body: Uint8Array): Call {
    return this.#inner.call(fields, body);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#inner[Symbol.dispose]();
  }
}
