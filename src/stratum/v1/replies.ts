/**
 * What the server says, as lines of ASCII ready to be sent. Ids arrive as JSON text. mining.notify is
 * not here: a job carries its own line.
 */
import { errorOf, REFUSALS } from '../refusals.ts';
import type { RefusalName } from '../refusals.ts';
import { VERSION_REQUEST_ID } from './requests.ts';

const ERROR_TAILS = Object.fromEntries(
  Object.entries(REFUSALS).map(([name, refusal]) => [
    name,
    `,"result":null,"error":${JSON.stringify(errorOf(refusal))}}\n`,
  ]),
) as Readonly<Record<RefusalName, string>>;

export function acceptedReply(id: string): string {
  return `{"id":${id},"result":true,"error":null}\n`;
}

export function refusedReply(id: string, refusal: RefusalName): string {
  return `{"id":${id}${ERROR_TAILS[refusal]}`;
}

export function pongReply(id: string): string {
  return `{"id":${id},"result":"pong","error":null}\n`;
}

export function subscribedReply(
  id: string,
  sessionId: string,
  extranonce1Hex: string,
  extranonce2Size: number,
): string {
  return `{"id":${id},"result":[[["mining.set_difficulty","${sessionId}"],["mining.notify","${sessionId}"]],"${extranonce1Hex}",${extranonce2Size}],"error":null}\n`;
}

export function configuredReply(id: string, result: Readonly<Record<string, unknown>>): string {
  return `{"id":${id},"result":${ascii(JSON.stringify(result))},"error":null}\n`;
}

export function maskHex(mask: number): string {
  return (mask >>> 0).toString(16).padStart(8, '0');
}

function notification(method: string, params: readonly unknown[]): string {
  return `${ascii(JSON.stringify({ id: null, method, params }))}\n`;
}

export function setDifficultyLine(difficulty: number): string {
  return notification('mining.set_difficulty', [difficulty]);
}

export function setVersionMaskLine(mask: number): string {
  return notification('mining.set_version_mask', [maskHex(mask)]);
}

export function setExtranonceLine(extranonce1Hex: string, extranonce2Size: number): string {
  return notification('mining.set_extranonce', [extranonce1Hex, extranonce2Size]);
}

export function showMessageLine(text: string): string {
  return notification('client.show_message', [text]);
}

/** Without a host: back to where it came from. */
export function reconnectLine(to: {
  readonly host: string;
  readonly port: number;
  readonly waitSeconds: number;
}): string {
  const { host, port, waitSeconds } = to;
  return notification('client.reconnect', host === '' ? [] : [host, port, waitSeconds]);
}

export function getVersionLine(): string {
  return `{"id":"${VERSION_REQUEST_ID}","method":"client.get_version","params":[]}\n`;
}

function ascii(json: string): string {
  return json.replace(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
