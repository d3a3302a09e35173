/**
 * The HTTP monitor (contract §6, port 3855): read-only JSON about every component, and /healthz for a
 * supervisor. Bound to loopback unless told otherwise. What a view looks like is in views.ts; secrets
 * are removed here, by the `redact` that is passed in.
 */
import { fastify } from 'fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../clock.ts';
import { PoolError, messageOf } from '../errors.ts';
import type { Startable } from '../lifecycle.ts';
import type { Log } from '../log.ts';
import type { ClientDirectory, CounterRow, Readiness, StatusSource } from '../ports.ts';
import { clientView, clientsView, frontView, jsonText, legacyClientsView } from './views.ts';

export class MonitorError extends PoolError {}

export interface MonitorOptions {
  readonly key: string;
  readonly address: string;
  readonly port: number;
  readonly sortKeys: boolean;
  readonly pretty: boolean;
  readonly sources: readonly StatusSource[];
  /** Keys of the stratum servers, in the order of the configuration. */
  readonly servers: readonly string[];
  readonly directory: ClientDirectory;
  readonly counters: () => readonly CounterRow[];
  readonly readiness: readonly Readiness[];
  /** Removes passwords and other secrets from settings. */
  readonly redact: (settings: Readonly<Record<string, unknown>>, className: string) => unknown;
  /** Memory, threads and queues, for `/debug/`. */
  readonly debug: () => Record<string, unknown>;
  readonly log: Log;
  readonly clock: Clock;
}

/** What a reverse proxy says our own URL begins with; anything but plain path characters is ignored. */
function prefixOf(request: FastifyRequest): string {
  const header = request.headers['x-script-name'] ?? request.headers['x-forwarded-prefix'];
  const text = Array.isArray(header) ? header[0] : header;
  if (text === undefined || !/^\/[\w\-./~]{0,200}$/.test(text)) return '';
  return text.replace(/\/+$/, '');
}

export class MonitorServer implements Startable {
  readonly key: string;
  readonly #options: MonitorOptions;
  readonly #app: FastifyInstance;
  readonly #byKey: ReadonlyMap<string, StatusSource>;
  readonly #servers: ReadonlySet<string>;

  constructor(options: MonitorOptions) {
    this.key = options.key;
    this.#options = options;
    this.#byKey = new Map(options.sources.map((source) => [source.key, source]));
    this.#servers = new Set(options.servers);
    this.#app = fastify({
      logger: false,
      bodyLimit: 1024,
      requestTimeout: 10_000,
      connectionTimeout: 30_000,
      routerOptions: { maxParamLength: 300 },
    });
    this.#routes();
  }

  /** The port that is listened on, also where the settings said 0. */
  get port(): number {
    const address = this.#app.server.address();
    return address === null || typeof address === 'string' ? this.#options.port : address.port;
  }

  async start(): Promise<void> {
    const { address, port } = this.#options;
    try {
      await this.#app.listen({ host: address, port });
    } catch (error) {
      throw new MonitorError(
        'LISTEN',
        `${this.key}: cannot listen on ${address}:${port}: ${messageOf(error)}; choose another port`,
        { cause: error },
      );
    }
    this.#options.log.info('monitor is listening', { address, port: this.port });
  }

  async stop(): Promise<void> {
    await this.#app.close();
  }

  #send(reply: FastifyReply, view: unknown, status = 200): FastifyReply {
    const { sortKeys, pretty } = this.#options;
    return reply
      .code(status)
      .type('application/json; charset=utf-8')
      .header('cache-control', 'no-store')
      .header('x-content-type-options', 'nosniff')
      .send(jsonText(view, { sortKeys, pretty }));
  }

  #routes(): void {
    const app = this.#app;
    app.setNotFoundHandler((request, reply) => this.#missing(request, reply));
    app.setErrorHandler((error, _request, reply) => {
      const status =
        error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500;
      if (status >= 500) this.#options.log.error('a view failed', { error: messageOf(error) });
      return this.#send(
        reply,
        { error: status >= 500 ? 'internal error' : messageOf(error) },
        status,
      );
    });
    app.get('/', async (request, reply) =>
      this.#send(reply, await frontView(this.#options.sources, this.#servers, prefixOf(request))),
    );
    app.get('/healthz', (_request, reply) => this.#health(reply));
    app.get('/counters/', (_request, reply) =>
      this.#send(reply, { counters: this.#options.counters() }),
    );
    app.get('/debug/', (_request, reply) => this.#send(reply, this.#options.debug()));
    this.#legacyRoutes();
    this.#componentRoutes();
  }

  #legacyRoutes(): void {
    const { directory, servers } = this.#options;
    const status = async (key: string | undefined): Promise<unknown> =>
      key === undefined ? {} : await this.#byKey.get(key)?.status();
    const manager = this.#options.sources.find(({ className }) => className === 'PowerPool');
    this.#app.get('/05/', async (_request, reply) =>
      this.#send(reply, {
        server: await status(manager?.key),
        stratum_manager: await status(servers[0]),
      }),
    );
    this.#app.get('/05/clients/', (_request, reply) =>
      this.#send(reply, legacyClientsView(directory.clients())),
    );
  }

  #componentRoutes(): void {
    const app = this.#app;
    app.get<{ Params: { key: string } }>('/:key/', async (request, reply) => {
      const source = this.#byKey.get(request.params.key);
      return source === undefined
        ? this.#missing(request, reply)
        : this.#send(reply, await source.status());
    });
    app.get<{ Params: { key: string } }>('/:key/config', (request, reply) => {
      const source = this.#byKey.get(request.params.key);
      return source === undefined
        ? this.#missing(request, reply)
        : this.#send(reply, this.#options.redact(source.settings, source.className));
    });
    app.get<{ Params: { key: string } }>('/:key/clients/', (request, reply) => {
      const { key } = request.params;
      return this.#servers.has(key)
        ? this.#send(
            reply,
            clientsView(this.#options.directory.clients(key), key, prefixOf(request)),
          )
        : this.#missing(request, reply);
    });
    app.get<{ Params: { key: string; username: string } }>(
      '/:key/client/:username',
      (request, reply) => {
        const { key, username } = request.params;
        if (!this.#servers.has(key)) return this.#missing(request, reply);
        const found = this.#options.directory.named(key, username);
        return this.#send(
          reply,
          clientView(found, this.#options.clock.now()),
          found.length === 0 ? 404 : 200,
        );
      },
    );
  }

  #health(reply: FastifyReply): FastifyReply {
    const waiting = this.#options.readiness
      .map((part) => ({ component: part.key, waiting_for: part.waitingFor() }))
      .filter((part) => part.waiting_for !== undefined);
    return this.#send(
      reply,
      waiting.length === 0 ? { status: 'ready' } : { status: 'not ready', waiting },
      waiting.length === 0 ? 200 : 503,
    );
  }

  /** A path that only lacks its trailing slash is sent there (SimpleCoin asks for /05/clients). */
  #missing(request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const [path = '', query] = request.url.split('?', 2);
    const slashed = `${path}/`;
    if (!path.endsWith('/') && this.#app.hasRoute({ method: 'GET', url: slashed })) {
      return reply.redirect(
        `${prefixOf(request)}${slashed}${query === undefined ? '' : `?${query}`}`,
      );
    }
    const [, key = '', rest] = path.split('/');
    const known = this.#byKey.has(key) && (rest === undefined || rest === 'clients');
    if (!path.endsWith('/') && known) {
      return reply.redirect(
        `${prefixOf(request)}${slashed}${query === undefined ? '' : `?${query}`}`,
      );
    }
    return this.#send(reply, { error: `no such view: ${path.slice(0, 200)}` }, 404);
  }
}
