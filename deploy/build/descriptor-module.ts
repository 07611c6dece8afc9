/**
 * Comes in: the descriptor set that buf wrote. Goes out: the same bytes as a module, so that the bundled controller
 * serves reflection without a file beside it.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const gen = join(import.meta.dirname, '../../src/wire/gen');
const image = join(gen, 'fleet.binpb');
const base64 = readFileSync(image).toString('base64');
writeFileSync(
  join(gen, 'descriptor-set.ts'),
  `/** Encoded google.protobuf.FileDescriptorSet of the contract. */\nexport const DESCRIPTOR_SET: Buffer = Buffer.from('${base64}', 'base64');\n`,
);
rmSync(image);
