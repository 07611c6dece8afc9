/** fleet-host-agent: parse, build, run. */
import { FleetError } from '../src/domain/errors.ts';
import { createLogger } from '../src/runtime/logger.ts';
import { stopSignal } from '../src/runtime/shutdown.ts';
import { HostAgent } from './agent.ts';
import { readConfig } from './config.ts';

try {
  const config = readConfig(process.argv.slice(2), process.env);
  const log = createLogger({
    name: 'host-agent',
    level: config.logLevel,
    ...(config.logFile ? { file: config.logFile } : {}),
  });
  await new HostAgent(config, log).run(stopSignal());
  process.exit(0);
} catch (error) {
  process.stderr.write(`fleet-host-agent: ${(error as Error).message}\n`);
  process.exit(error instanceof FleetError && error.code === 'INVALID_ARGUMENT' ? 2 : 1);
}
