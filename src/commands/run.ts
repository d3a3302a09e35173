/** `powerpool config.yml`: runs the pool until a signal says stop. `-d` prints the configuration. */
import { dumpConfig } from '../config/dump.ts';
import { messageOf } from '../errors.ts';
import { createLog } from '../log.ts';
import type { Log } from '../log.ts';
import { createPool } from '../pool.ts';
import type { Pool } from '../pool.ts';
import { SystemdNotifier } from '../systemd.ts';
import { readConfigFile } from './config-file.ts';
import { UsageError, readOptions, serverNumberOption } from './usage.ts';
import type { Terminal } from './usage.ts';

const HELP = `usage: powerpool CONFIG.yml [-s N] [-d [--show-secrets]]

Runs the pool. SIGINT, SIGTERM and SIGHUP stop it gracefully within term_timeout; a second signal exits
at once.
`;

export async function runCommand(argv: readonly string[], terminal: Terminal): Promise<number> {
  const { values, positionals } = readOptions('', argv, {
    'server-number': { type: 'string', short: 's' },
    'dump-config': { type: 'boolean', short: 'd', default: false },
    'show-secrets': { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  });
  if (values.help) {
    terminal.out(HELP);
    return 0;
  }
  const [file, extra] = positionals;
  if (file === undefined || extra !== undefined) {
    throw new UsageError(
      `found ${extra === undefined ? 'no configuration file' : `"${extra}" after ${file}`}, ` +
        `expected one: powerpool config.yml; see 'powerpool --help'`,
    );
  }
  const number = serverNumberOption(values['server-number']);
  const { config } = readConfigFile(file, number, terminal);
  if (config === undefined) return 1;
  if (values['dump-config']) {
    terminal.out(dumpConfig(config, { showSecrets: values['show-secrets'] }));
    return 0;
  }
  const log = createLog({
    level: config.pool.settings.default_component_log_level,
    pretty: terminal.color,
  });
  return runPool(await createPool(config, { log }), terminal);
}

/** Starts a pool and stops it at the first signal, after `beforeStop`; the exit status. */
export async function runPool(
  pool: Pool,
  terminal: Terminal,
  beforeStop: () => Promise<void> = async () => {},
): Promise<number> {
  const systemd = new SystemdNotifier(process.env, pool.log);
  const stopping = firstSignal(terminal);
  const defect = firstDefect(pool.log);
  try {
    await Promise.race([pool.start(), stopping.then(() => {}), defect.then(() => {})]);
  } catch (error) {
    pool.log.error('cannot start', { error: messageOf(error) });
    await pool.stop();
    return 1;
  }
  void pool.ready.then(() => systemd.ready('serving miners'));
  const reason = await Promise.race([stopping, pool.failed, defect]);
  const failed = reason instanceof Error;
  if (failed) pool.log.error('cannot go on', { error: messageOf(reason) });
  else pool.log.info('stopping', { signal: reason });
  await systemd.stopping();
  await beforeStop();
  const clean = await pool.stop();
  pool.log.info('stopped', { clean });
  return clean && !failed ? 0 : 1;
}

/**
 * Resolves with the first exception that nobody caught. What it left half done is not known, so the pool
 * stops, in order: what was read is committed and answered, blocks on their way arrive. A supervisor
 * starts it again.
 */
function firstDefect(log: Log): Promise<Error> {
  return new Promise((resolve) => {
    process.on('uncaughtException', (thrown: unknown) => {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      log.error(`a defect of PowerPool: ${messageOf(error)}; it stops`, { stack: error.stack });
      resolve(error);
    });
  });
}

/** Resolves with the first stop signal; a second one ends the process at once. */
function firstSignal(terminal: Terminal): Promise<NodeJS.Signals> {
  let seen = false;
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        if (seen) terminal.exitNow();
        seen = true;
        resolve(signal);
      });
    }
  });
}
