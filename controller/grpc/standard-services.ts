/** gRPC's own services, behind the same door: health, and reflection of the contract that was built. */

import { BinaryReader } from '@bufbuild/protobuf/wire';
import {
  type ServerDuplexStream,
  type ServerWritableStream,
  type ServiceDefinition,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';
import { HealthImplementation } from 'grpc-health-check';
import { BugError, FleetError } from '../../src/domain/errors.ts';
import type { GrpcServer } from './server.ts';

type Registrar = { addService(definition: ServiceDefinition, implementation: UntypedServiceImplementation): void };

const behind = (server: GrpcServer): Registrar => ({
  addService: (definition, implementation) => server.addRaw(definition, implementation),
});

export interface Health {
  /** The empty name is the server as a whole. */
  set(service: string, serving: boolean): void;
}

type WatchHandler = (call: ServerWritableStream<{ service?: string }, unknown>) => void;

/** The library keeps every name that was ever watched: only those that there are may be. */
const watchOf =
  (names: readonly string[], watch: WatchHandler): WatchHandler =>
  (call) => {
    if (names.includes(call.request.service ?? '')) watch(call);
    else call.emit('error', { code: status.NOT_FOUND, details: 'no such service' });
  };

/** Serves grpc.health.v1: `services` and the whole are NOT_SERVING until said otherwise. */
export const addHealth = (server: GrpcServer, services: readonly string[]): Health => {
  const implementation = new HealthImplementation(
    Object.fromEntries(['', ...services].map((service) => [service, 'NOT_SERVING' as const])),
  );
  const { addService } = behind(server);
  const guarded: Registrar = {
    addService: (definition, { watch, ...rest }) =>
      addService(definition, { ...rest, watch: watchOf(['', ...services], watch as WatchHandler) }),
  };
  implementation.addToServer(guarded as unknown as Parameters<typeof implementation.addToServer>[0]);
  return { set: (service, serving) => implementation.setStatus(service, serving ? 'SERVING' : 'NOT_SERVING') };
};

/** The encoded FileDescriptorProtos of an encoded FileDescriptorSet, whose one field is `repeated file = 1`. */
const splitDescriptorSet = (bytes: Uint8Array): Buffer[] => {
  const reader = new BinaryReader(bytes);
  const files: Buffer[] = [];
  while (reader.pos < reader.len) {
    if (reader.uint32() !== 0x0a) throw new BugError('the descriptor set holds something other than files');
    files.push(Buffer.from(reader.bytes()));
  }
  return files;
};

type Exchange = (call: ServerDuplexStream<unknown, unknown>) => void;

/** Of a request: the name of a file or a symbol. */
const MAX_REQUEST_BYTES = 4_096;

/** The library answers whether its answers are taken or not: here a request is looked at when the answer before is gone. */
const oneByOne =
  (exchange: Exchange): Exchange =>
  (call) => {
    const write = call.write.bind(call);
    call.write = (answer: unknown) => {
      call.pause();
      return write(answer, () => call.resume());
    };
    exchange(call);
  };

/** Each answer has its request in it, too. */
const ofShortRequests = (definition: ServiceDefinition): ServiceDefinition =>
  Object.fromEntries(
    Object.entries(definition).map(([name, method]) => {
      const requestDeserialize = (bytes: Buffer): unknown => {
        if (bytes.length <= MAX_REQUEST_BYTES) return method.requestDeserialize(bytes);
        throw new FleetError('INVALID_ARGUMENT', `a request of ${bytes.length} bytes names nothing that there is`);
      };
      return [name, { ...method, requestDeserialize }];
    }),
  );

/** Serves grpc.reflection v1 and v1alpha from what `buf build` wrote. */
export const addReflection = (server: Pick<GrpcServer, 'addRaw'>, descriptorSet: Uint8Array): void => {
  const description = { fleet: { fileDescriptorProtos: splitDescriptorSet(descriptorSet) } };
  const reflection = new ReflectionService(
    description as unknown as ConstructorParameters<typeof ReflectionService>[0],
  );
  const bounded: Registrar = {
    addService: (definition, implementation) => {
      const exchanges = Object.entries(implementation).map(([name, act]) => [name, oneByOne(act as Exchange)]);
      server.addRaw(ofShortRequests(definition), Object.fromEntries(exchanges));
    },
  };
  reflection.addToServer(bounded as unknown as Parameters<typeof reflection.addToServer>[0]);
};
