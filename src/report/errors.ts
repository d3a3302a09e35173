/** Errors of the report room. */
import { PoolError } from '../errors.ts';

/** A sink or its back end failed: the delivery is tried again. */
export class SinkError extends PoolError {}

/**
 * The back end is well and refuses this very data, so that trying again would not help: the batch is
 * narrowed down to the record, which is logged and left out. Never for a lost connection, a full disk or
 * missing rights.
 */
export class SinkRefused extends PoolError {}

/** The back end, or the sink's own class, can never do what is asked; at the start it ends the start. */
export class SinkUnfit extends PoolError {}
