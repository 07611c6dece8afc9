/** fleet-controller: parse, build, run. */
import { FleetError } from '../src/domain/errors.ts';
import { createLogger } from '../src/runtime/logger.ts';
import { stopSignal } from '../src/runtime/shutdown.ts';
import { runRestore } from './backup/run-restore.ts';
import { readConfig } from './config.ts';
import { Controller } from './controller.ts';

try {
  const config = readConfig(process.argv.slice(2), process.env);
  const log = createLogger({
    name: 'controller',
    level: config.logLevel,
    ...(config.logFile ? { file: config.logFile } : {}),
  });
  if (config.restore === null) await new Controller(config, log).run(stopSignal());
  else await runRestore(config.restore, config, log);
  process.exit(0);
} catch (error) {
  process.stderr.write(`fleet-controller: ${(error as Error).message}\n`);
  process.exit(error instanceof FleetError && error.code === 'INVALID_ARGUMENT' ? 2 : 1);
}
