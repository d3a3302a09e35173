/** Settings of one coin daemon, an entry of `coinservs`. */
import { z } from 'zod';
import type { Frozen } from './fields.ts';
import { blankable, integer, list, name, port, text } from './fields.ts';

const coinservSchema = z
  .strictObject({
    address: name().default('127.0.0.1').describe("Host name or address of the daemon's RPC port."),
    port: port().meta({ description: "The daemon's rpcport.", example: 9332 }),
    username: blankable()
      .default('')
      .meta({ description: "The daemon's rpcuser; not needed with cookie_file." }),
    password: blankable().default('').meta({
      description: "The daemon's rpcpassword; not needed with cookie_file.",
      secret: true,
    }),
    cookie_file: text().nullable().default(null).meta({
      description:
        "The daemon's .cookie file, read again at every start of the daemon; it wins over username and password.",
      path: true,
    }),
    poll_priority: z
      .number()
      .meta({ expects: 'a number' })
      .default(0)
      .describe('Of the live daemons the one with the highest priority serves templates.'),
    maxsize: integer(1, 1000)
      .default(10)
      .describe('The most connections that are open to this daemon at once.'),
    zmq: text().nullable().default(null).meta({
      description:
        "The daemon's zmqpubhashblock address, such as tcp://127.0.0.1:28332, to hear of new blocks (needs the optional package zeromq).",
      url: true,
    }),
  })
  .meta({ expects: 'a map' });

export const coinservs = () =>
  list(coinservSchema)
    .min(1)
    .meta({ expects: 'a list of at least one daemon' })
    .describe(
      'The coin daemons; a solved block goes to all of them, the others take over when one fails.',
    );

export type CoinservSettings = Frozen<z.output<typeof coinservSchema>>;
