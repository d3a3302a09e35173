/**
 * The one error of the daemon room. A failed call is always a DaemonError; its code tells what kind of
 * failure it was, and with it whether the daemon itself is in doubt (`daemonIsDown`) or only the call.
 */
import { PoolError } from '../errors.ts';

export type DaemonErrorCode =
  /** No connection, or it broke before the answer was complete. */
  | 'UNREACHABLE'
  /** Connected or not, no complete answer in time. */
  | 'TIMEOUT'
  /** An HTTP status that carries no JSON-RPC answer. */
  | 'HTTP'
  /** 401, 403, or a cookie file that cannot be read. */
  | 'AUTH'
  /** The daemon answered with a JSON-RPC error; its code is in `rpcCode`. */
  | 'RPC'
  /** Something that is not the JSON-RPC answer to this call, or one that is too long. */
  | 'BAD_ANSWER'
  /** The caller no longer wanted the answer. */
  | 'ABORTED';

/** RPC_IN_WARMUP: the daemon is starting and answers every call with it. */
const RPC_IN_WARMUP = -28;

export class DaemonError extends PoolError {
  declare readonly code: DaemonErrorCode;
  /** Code of the daemon's JSON-RPC error, for code 'RPC'. */
  readonly rpcCode: number | undefined;

  constructor(
    code: DaemonErrorCode,
    message: string,
    options: ErrorOptions & { rpcCode?: number } = {},
  ) {
    super(code, message, options);
    this.rpcCode = options.rpcCode;
  }
}

/** Whether this failure means that the daemon serves nobody just now, not only that it refused a call. */
export function daemonIsDown(error: DaemonError): boolean {
  return error.code === 'RPC' ? error.rpcCode === RPC_IN_WARMUP : error.code !== 'ABORTED';
}
