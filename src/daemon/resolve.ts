/**
 * Name look-ups for daemon connections. The system's resolver works on a few threads that the whole
 * process shares and cannot be interrupted: a slow one must not fill them with one look-up per retry.
 * So a name has at most one look-up under way, whoever asks, and its answer is kept for a while.
 */
import { lookup } from 'node:dns';
import type { LookupAddress, LookupOptions } from 'node:dns';
import type { LookupFunction } from 'node:net';

import type { Clock } from '../clock.ts';

type Waiter = (error: NodeJS.ErrnoException | null, addresses: readonly LookupAddress[]) => void;
type Resolve = (
  hostname: string,
  options: LookupOptions & { all: true },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

const KEEP_MS = 60_000;
/** Connections that may wait for one look-up; a waiting connection of ours is itself bounded. */
const MAX_WAITERS = 256;

/** A `lookup` for net.connect that remembers one name's addresses and never asks twice at a time. */
export function singleFlightLookup(clock: Clock, resolve: Resolve = lookup): LookupFunction {
  const waiters: Waiter[] = [];
  let known: readonly LookupAddress[] = [];
  let knownUntil = -1;
  let busy = false;

  const settle = (
    error: NodeJS.ErrnoException | null,
    addresses: readonly LookupAddress[],
  ): void => {
    busy = false;
    if (error === null && addresses.length > 0) {
      known = addresses;
      knownUntil = clock.monotonic() + KEEP_MS;
    }
    const failed = error !== null && known.length === 0;
    for (const waiter of waiters.splice(0)) waiter(failed ? error : null, known);
  };

  return (hostname, options, callback) => {
    const answer: Waiter = (error, addresses) => {
      const first = addresses[0];
      if (options.all === true) callback(error, [...addresses]);
      else callback(error, first?.address ?? '', first?.family ?? 4);
    };
    if (clock.monotonic() < knownUntil) {
      queueMicrotask(() => answer(null, known));
      return;
    }
    if (waiters.length >= MAX_WAITERS) {
      const error: NodeJS.ErrnoException = new Error(`too many connections wait for ${hostname}`);
      error.code = 'EAI_AGAIN';
      queueMicrotask(() => answer(error, []));
      return;
    }
    waiters.push(answer);
    if (busy) return;
    busy = true;
    resolve(
      hostname,
      { all: true, ...(options.hints === undefined ? {} : { hints: options.hints }) },
      settle,
    );
  };
}
