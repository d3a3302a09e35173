/**
 * Celery's messages as its own client writes them: task → body, headers and properties in protocol 1
 * (every Celery from 3.1 on reads it) or 2, kombu's envelope around it for a Redis broker, and task ids
 * that follow from what the task says, so that a repeat is recognised. Pure. Compared with what Celery
 * itself emits in report-celery-messages.test.ts. Entry points: encodeTask, redisEnvelope, taskId.
 */
import { createHash } from 'node:crypto';

export type Json =
  string | number | bigint | boolean | null | readonly Json[] | { readonly [name: string]: Json };

export interface CeleryTask {
  /** With its prefix, as it is registered at the worker. */
  readonly name: string;
  readonly id: string;
  readonly args: readonly Json[];
  readonly kwargs: Readonly<Record<string, Json>>;
}

export type TaskProtocol = 1 | 2;

export interface CeleryMessage {
  /** The AMQP headers table: empty in protocol 1. */
  readonly headers: Readonly<Record<string, Json>>;
  readonly correlationId: string;
  /** JSON in UTF-8. */
  readonly body: Buffer;
}

export const CONTENT_TYPE = 'application/json';
export const CONTENT_ENCODING = 'utf-8';
/** Survives a restart of the broker. */
export const DELIVERY_MODE = 2;
export const PRIORITY = 0;

/** `origin` says who sent it (protocol 2 only); Celery writes `gen<pid>@<host>` there. */
export function encodeTask(
  task: CeleryTask,
  protocol: TaskProtocol,
  origin: string,
): CeleryMessage {
  const content = protocol === 1 ? protocol1(task) : protocol2(task, origin);
  return { correlationId: task.id, ...content };
}

function protocol1({ name, id, args, kwargs }: CeleryTask): Omit<CeleryMessage, 'correlationId'> {
  const body = {
    task: name,
    id,
    args,
    kwargs,
    group: null,
    group_index: null,
    retries: 0,
    eta: null,
    expires: null,
    utc: true,
    callbacks: null,
    errbacks: null,
    timelimit: [null, null],
    taskset: null,
    chord: null,
  };
  return { headers: {}, body: Buffer.from(json(body)) };
}

function protocol2(
  { name, id, args, kwargs }: CeleryTask,
  origin: string,
): Omit<CeleryMessage, 'correlationId'> {
  const headers = {
    // The language of the worker that the task is for.
    lang: 'py',
    task: name,
    id,
    shadow: null,
    eta: null,
    expires: null,
    group: null,
    group_index: null,
    retries: 0,
    timelimit: [null, null],
    root_id: id,
    parent_id: null,
    // For people to read (worker's log, flower).
    argsrepr: json(args),
    kwargsrepr: json(kwargs),
    origin,
    ignore_result: false,
  };
  const embed = { callbacks: null, errbacks: null, chain: null, chord: null };
  return { headers, body: Buffer.from(json([args, kwargs, embed])) };
}

/** Amounts keep every digit (Python's integers have no limit). */
function json(value: Json): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'bigint' ? rawJson(inner) : inner,
  );
}

/** ES2026, in Node since 22; TypeScript's library has no type of it yet. */
function rawJson(value: bigint): unknown {
  return (JSON as typeof JSON & { rawJSON(text: string): unknown }).rawJSON(value.toString());
}

/** Kombu's virtual transports: the element of the queue's Redis list. `deliveryTag` is unique, a UUID. */
export function redisEnvelope(
  message: CeleryMessage,
  routing: { readonly exchange: string; readonly routingKey: string },
  deliveryTag: string,
): string {
  return JSON.stringify({
    body: message.body.toString('base64'),
    'content-encoding': CONTENT_ENCODING,
    'content-type': CONTENT_TYPE,
    headers: message.headers,
    properties: {
      correlation_id: message.correlationId,
      delivery_mode: DELIVERY_MODE,
      delivery_info: { exchange: routing.exchange, routing_key: routing.routingKey },
      priority: PRIORITY,
      body_encoding: 'base64',
      delivery_tag: deliveryTag,
    },
  });
}

/**
 * A UUID that is the same whenever the parts are the same: version 8 of RFC 9562 §5.8, over SHA-256 of
 * the parts as JSON (so that no two lists of parts read alike).
 */
export function taskId(...parts: readonly (string | number)[]): string {
  const hash = createHash('sha256').update(JSON.stringify(parts)).digest().subarray(0, 16);
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x80, 6);
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = hash.toString('hex');
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join('-');
}
