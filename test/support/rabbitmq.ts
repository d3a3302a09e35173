/**
 * RabbitMQ as Debian has it, a node of its own: own name, ports, epmd and data in a temporary folder.
 * Entry point: startRabbit.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { globSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';

import { freePort } from './ports.ts';
import { removeFolder, startServer, temporaryFolder } from './servers.ts';
import type { Server } from './servers.ts';

export interface RabbitOptions {
  /** Lines of rabbitmq.conf besides ours. */
  readonly config?: readonly string[];
  /** A second listener, with TLS; the files are set by `config`. */
  readonly tls?: boolean;
}

export class Rabbit {
  readonly folder = temporaryFolder('rabbitmq');
  readonly port: number;
  readonly tlsPort: number;
  readonly #epmdPort: number;
  readonly #distPort: number;
  readonly #epmd: ChildProcess;
  #server: Server | undefined;

  constructor(options: RabbitOptions, ports: readonly number[]) {
    [this.port, this.tlsPort, this.#epmdPort, this.#distPort] = ports as [
      number,
      number,
      number,
      number,
    ];
    writeFileSync(join(this.folder, 'plugins'), '[].\n');
    const lines = [
      `listeners.tcp.1 = 127.0.0.1:${this.port}`,
      'log.console = true',
      'log.console.level = error',
      'log.file = false',
      ...(options.tls === true ? [`listeners.ssl.1 = 127.0.0.1:${this.tlsPort}`] : []),
      ...(options.config ?? []),
    ];
    writeFileSync(join(this.folder, 'rabbit.conf'), `${lines.join('\n')}\n`);
    // Started here, or the node would start one that stays when the node is gone.
    const args = ['-port', String(this.#epmdPort), '-address', '127.0.0.1'];
    this.#epmd = spawn('epmd', args, { stdio: 'ignore' });
  }

  get url(): string {
    return `amqp://guest:guest@127.0.0.1:${this.port}//`;
  }

  get pid(): number {
    return this.#server?.pid ?? 0;
  }

  async start(): Promise<void> {
    // The one in /usr/sbin would change to another user.
    const command = globSync('/usr/lib/rabbitmq/lib/*/sbin/rabbitmq-server')[0];
    this.#server = await startServer({
      command: command ?? 'rabbitmq-server',
      args: [],
      install: 'apt-get install rabbitmq-server',
      isReady: () => speaksAmqp(this.port),
      timeoutMs: 60_000,
      // Where it leaves its dumps.
      cwd: this.folder,
      env: {
        PATH: process.env['PATH'],
        HOME: this.folder,
        LANG: 'C.UTF-8',
        RABBITMQ_NODENAME: `powerpool${this.port}@localhost`,
        RABBITMQ_DIST_PORT: String(this.#distPort),
        ERL_EPMD_PORT: String(this.#epmdPort),
        ERL_EPMD_ADDRESS: '127.0.0.1',
        RABBITMQ_MNESIA_BASE: join(this.folder, 'data'),
        RABBITMQ_LOG_BASE: join(this.folder, 'log'),
        RABBITMQ_ENABLED_PLUGINS_FILE: join(this.folder, 'plugins'),
        RABBITMQ_CONFIG_FILE: join(this.folder, 'rabbit'),
        RABBITMQ_CONF_ENV_FILE: join(this.folder, 'none'),
        // The script then becomes the node; otherwise it would stay between us and it.
        RUNNING_UNDER_SYSTEMD: '1',
        RABBITMQ_PID_FILE: join(this.folder, 'pid'),
        RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1} +S 1:1',
      },
    });
  }

  /** SIGKILL: as a crash; the data stay. */
  async kill(): Promise<void> {
    await this.#server?.kill();
  }

  async stop(): Promise<void> {
    await this.#server?.kill();
    if (this.#epmd.exitCode === null) {
      this.#epmd.kill('SIGTERM');
      await once(this.#epmd, 'exit');
    }
    removeFolder(this.folder);
  }
}

/**
 * The handshake's first step is answered by a frame of type 1 (connection.start). A node that is not up
 * yet says nothing, or answers with its protocol header as to a wrong version.
 */
async function speaksAmqp(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  const timer = setTimeout(() => socket.destroy(), 2000);
  try {
    socket.write(Buffer.from([0x41, 0x4d, 0x51, 0x50, 0, 0, 9, 1]));
    for await (const chunk of socket) return (chunk as Buffer)[0] === 1;
    return false;
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}

export async function startRabbit(options: RabbitOptions = {}): Promise<Rabbit> {
  const ports = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  const rabbit = new Rabbit(options, ports);
  try {
    await rabbit.start();
  } catch (error) {
    await rabbit.stop();
    throw error;
  }
  return rabbit;
}
