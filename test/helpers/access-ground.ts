/**
 * Every kind of caller of one real controller, over real TLS, and every method of its services by path: what a call that
 * is made with nothing but defaults and a target comes to.
 */
import { createSecureContext } from 'node:tls';
import {
  ChannelCredentials,
  Client,
  credentials,
  Metadata,
  type MethodDefinition,
  type ServiceDefinition,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { service as health } from 'grpc-health-check';
import { makeAuthority } from '../../src/identity/authority.ts';
import { clientTls } from '../../src/identity/client-tls.ts';
import { keyToPem, makeKey } from '../../src/identity/key.ts';
import { AdminServiceService } from '../../src/wire/gen/fleet/v1/admin.ts';
import { EnrollmentServiceService } from '../../src/wire/gen/fleet/v1/enrollment.ts';
import { FleetServiceService } from '../../src/wire/gen/fleet/v1/fleet.ts';
import { HostAgentServiceService } from '../../src/wire/gen/fleet/v1/host_agent.ts';
import { enrolledIdentity } from './enrolled-identity.ts';
import { OperatorSeat, type OperatorWish } from './operator-seat.ts';
import type { RunningController } from './run-controller.ts';

export interface ShownIdentity {
  certificatePem: string | null;
  keyPem: string | null;
}

const bytes = { requestSerialize: (value: Buffer) => value, responseDeserialize: (value: Buffer) => value };
const reflection = (path: string) =>
  ({ ...bytes, path, requestStream: true, responseStream: true }) as unknown as MethodDefinition<object, unknown>;
const SERVICES = [AdminServiceService, EnrollmentServiceService, FleetServiceService, HostAgentServiceService, health];
const METHODS: ReadonlyMap<string, MethodDefinition<object, unknown>> = new Map([
  ...SERVICES.flatMap((service) =>
    Object.values(service as unknown as ServiceDefinition).map(
      (method) => [method.path, method as MethodDefinition<object, unknown>] as const,
    ),
  ),
  ...['v1', 'v1alpha'].map((version) => {
    const path = `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`;
    return [path, reflection(path)] as const;
  }),
]);

/** ServerReflectionRequest { list_services: "" }. */
const LIST_SERVICES = Buffer.of(0x3a, 0x00);

/** A controller of another cell, that this one never heard of. */
export const foreignController = (): ShownIdentity => {
  const key = makeKey();
  const { authority } = makeAuthority('partner', Date.now());
  const id = { kind: 'controller', cell: 'partner', name: 'main' } as const;
  return {
    certificatePem: authority.issue(id, key, { nowMs: Date.now(), lifetimeMs: 3_600_000 }),
    keyPem: keyToPem(key),
  };
};

/** Enrolled, and never connected. */
export const quietHost = async (
  controller: RunningController,
  host: string,
  tenantId: string,
): Promise<ShownIdentity & { trustBundlePem: string; addresses: string[] }> =>
  enrolledIdentity({ folder: controller.folder, token: await controller.token(host, 'u', tenantId), host });

export const operatorOf = async (controller: RunningController, wish: OperatorWish): Promise<ShownIdentity> => {
  const seat = await OperatorSeat.joined(controller, wish);
  try {
    return await seat.held();
  } finally {
    seat.remove();
  }
};

export class AccessClient {
  readonly #client: Client;
  readonly #metadata: Metadata;

  private constructor(client: Client, metadata = new Metadata()) {
    this.#client = client;
    this.#metadata = metadata;
  }

  static overTls(
    controller: { address: string; trustBundlePem: string },
    shown: ShownIdentity,
    metadata?: Metadata,
  ): AccessClient {
    const tls = clientTls({ ...shown, cell: 'home', trustBundlePem: controller.trustBundlePem }, Date.now);
    const secure = ChannelCredentials.createFromSecureContext(createSecureContext(tls.secureContextOptions), {
      checkServerIdentity: tls.checkServerIdentity,
    });
    const options = { 'grpc.ssl_target_name_override': 'home', 'grpc.use_local_subchannel_pool': 1 };
    return new AccessClient(new Client(controller.address, secure, options), metadata);
  }

  static local(socket: string): AccessClient {
    return new AccessClient(new Client(`unix:${socket}`, credentials.createInsecure()));
  }

  close(): void {
    this.#client.close();
  }

  /** Null when it was answered, or began to be; the failure otherwise. */
  async failureOf(path: string, request: object): Promise<ServiceError | null> {
    const method = METHODS.get(path);
    if (method === undefined) throw new Error(`no service of this test has ${path}`);
    const isBytes = path.includes('Reflection');
    const whole = isBytes ? LIST_SERVICES : { ...method.requestDeserialize(Buffer.alloc(0)), ...request };
    const { requestSerialize: encode, responseDeserialize: decode } = method;
    const options = { deadline: Date.now() + 20_000 };
    if (!method.responseStream) {
      return new Promise((resolve) => {
        this.#client.makeUnaryRequest(path, encode, decode, whole, this.#metadata, options, (error) => resolve(error));
      });
    }
    const both = method.requestStream
      ? this.#client.makeBidiStreamRequest<object, unknown>(path, encode, decode, this.#metadata, options)
      : null;
    const call = both ?? this.#client.makeServerStreamRequest(path, encode, decode, whole, this.#metadata, options);
    return new Promise((resolve) => {
      const settle = (error: ServiceError | null): void => {
        resolve(error);
        call.cancel();
      };
      call.on('error', settle);
      call.on('data', () => settle(null));
      call.on('end', () => settle(null));
      both?.write(whole);
      if (!isBytes) both?.end();
    });
  }
}

/** As a letter: y let in, whatever came of it; x not permitted; n no such thing; - no identity. */
export const letterOf = (failure: ServiceError | null): string => {
  if (failure?.code === status.UNAUTHENTICATED) return '-';
  if (failure?.code === status.PERMISSION_DENIED) return 'x';
  return failure?.code === status.NOT_FOUND && !/no such intent/.test(failure.details) ? 'n' : 'y';
};
