/** From the settings of a coin daemon to what its client takes. */
import type { CoinservSettings } from './config/schema/coinserv.ts';
import type { DaemonOptions } from './daemon/rpc.ts';

export function daemonOptions(settings: CoinservSettings, timeoutSeconds: number): DaemonOptions {
  return {
    key: `${settings.address}:${settings.port}`,
    host: settings.address,
    port: settings.port,
    username: settings.username,
    password: settings.password,
    priority: settings.poll_priority,
    maxConnections: settings.maxsize,
    timeoutMs: timeoutSeconds * 1000,
    ...(settings.cookie_file !== null && { cookieFile: settings.cookie_file }),
    ...(settings.zmq !== null && { zmq: settings.zmq }),
  };
}
