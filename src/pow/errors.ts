/** The one error of this room. */
import { PoolError } from '../errors.ts';

/** A kernel, vector, job or custom function that cannot be used; the message names it. */
export class PowError extends PoolError {}
