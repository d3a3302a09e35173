/** Settings of the HTTP monitor and of plug-ins (components of the user's own). */
import { z } from 'zod';
import type { Frozen } from './fields.ts';
import { commonShape, flag, listenPort, name } from './fields.ts';

export const monitorSchema = z.strictObject({
  ...commonShape,
  address: name()
    .default('127.0.0.1')
    .describe('Local address to listen on; a reverse proxy in front is the way to publish it.'),
  port: listenPort().default(3855).describe('Port to listen on; server_number is added.'),
  JSON_SORT_KEYS: flag().default(false).describe('Whether keys in answers are sorted.'),
  JSONIFY_PRETTYPRINT_REGULAR: flag().default(false).describe('Whether answers are indented.'),
  DEBUG: flag().default(false).describe('Whether errors are answered with their details.'),
});

/** The settings of a plug-in are its own: only what all components have is checked. */
export const pluginSchema = z.looseObject(commonShape);

export type MonitorSettings = Frozen<z.output<typeof monitorSchema>>;
export type PluginSettings = Frozen<z.output<typeof pluginSchema>>;
