// How a test and a client written by others exchange JSON documents, one per line.
//
// The first line from the test names the flow, the server and the client. The client reports each
// step as {"event": …}. Its last line is "done" with the client's result, or "refused" with the
// server's error as the client understood it.
import { createInterface } from 'node:readline';

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** Reads the next document from the test. */
export async function readMessage() {
  const { value, done } = await lines.next();
  if (done) throw new Error('the test went away');
  return JSON.parse(value);
}

/** Tells the test that something happened. */
export function say(event, members = {}) {
  process.stdout.write(`${JSON.stringify({ event, ...members })}\n`);
}

/** Plays the flow that the test names. */
export async function play(flows) {
  const settings = await readMessage();
  try {
    say('done', (await flows[settings.flow](settings)) ?? {});
  } catch (error) {
    say('refused', refusal(error));
  }
  process.exit(0);
}

/** Imports a private JWK as a signing key. */
export function signingKey(jwk) {
  const kinds = {
    ES256: { name: 'ECDSA', namedCurve: 'P-256' },
    RS256: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
    EdDSA: { name: 'Ed25519' },
  };
  return crypto.subtle.importKey('jwk', jwk, kinds[jwk.alg], false, ['sign']);
}

/** Makes a DPoP proof for a request that a library sends without one (RFC 9449 4.2). */
export async function proof({ privateKey, publicKey }, htm, htu) {
  const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', publicKey);
  const iat = Math.floor(Date.now() / 1000);
  const header = part({ typ: 'dpop+jwt', alg: 'ES256', jwk: { kty, crv, x, y } });
  const signed = `${header}.${part({ jti: crypto.randomUUID(), htm, htu, iat })}`;
  const way = { name: 'ECDSA', hash: 'SHA-256' };
  const signature = await crypto.subtle.sign(way, privateKey, Buffer.from(signed));
  return `${signed}.${Buffer.from(signature).toString('base64url')}`;
}

function part(claims) {
  return Buffer.from(JSON.stringify(claims)).toString('base64url');
}

function refusal(error) {
  const { name, code, message, status, error: said, error_description: description } = error;
  return { name, code, message, status, error: said, error_description: description };
}
