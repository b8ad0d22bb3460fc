// How a test talks to a client of others: one JSON document a line, both ways.
//
// The first line that comes in says which flow to play, with whom and as whom. What happens on the
// way goes out as {"event": …}; the last line is "done" with what the client made of it, or
// "refused" with what the server said, as the client understood it.
import { createInterface } from 'node:readline';

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** The next document from the test. */
export async function hear() {
  const { value, done } = await lines.next();
  if (done) throw new Error('the test went away');
  return JSON.parse(value);
}

/** Tell the test that something happened. */
export function say(event, members = {}) {
  process.stdout.write(`${JSON.stringify({ event, ...members })}\n`);
}

/** Play the flow that the test names. */
export async function play(flows) {
  const told = await hear();
  try {
    say('done', (await flows[told.flow](told)) ?? {});
  } catch (error) {
    say('refused', refusal(error));
  }
  process.exit(0);
}

/** A private JWK as a key to sign with. */
export function signingKey(jwk) {
  const kinds = {
    ES256: { name: 'ECDSA', namedCurve: 'P-256' },
    RS256: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
    EdDSA: { name: 'Ed25519' },
  };
  return crypto.subtle.importKey('jwk', jwk, kinds[jwk.alg], false, ['sign']);
}

/** A DPoP proof for a request that a library sends without one (RFC 9449 4.2). */
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
