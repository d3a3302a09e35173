/** Settings of a Celery reporter as the configuration makes them of a file. */
import { celerySchema } from '../../src/config/schema/reporters.ts';
import type { CelerySettings } from '../../src/config/schema/reporters.ts';

export function celerySettings(
  celery: Readonly<Record<string, unknown>>,
  more: Readonly<Record<string, unknown>> = {},
): CelerySettings {
  return celerySchema.parse({ ...more, celery });
}
