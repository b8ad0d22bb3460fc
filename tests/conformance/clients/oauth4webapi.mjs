// Plays flows with oauth4webapi, which asks and checks each step by itself.
import * as oauth from 'oauth4webapi';

import { hear, play, say, signingKey } from './talking.mjs';

const plain = { [oauth.allowInsecureRequests]: true };

async function opened(told) {
  const issuer = new URL(told.issuer);
  const found = await oauth.discoveryRequest(issuer, { ...plain, algorithm: told.algorithm });
  const as = await oauth.processDiscoveryResponse(issuer, found);
  const ways = {
    client_secret_basic: () => oauth.ClientSecretBasic(told.secret),
    client_secret_post: () => oauth.ClientSecretPost(told.secret),
    private_key_jwt: async () =>
      oauth.PrivateKeyJwt({ key: await signingKey(told.jwk), kid: told.jwk.kid }),
    none: () => oauth.None(),
  };
  const client = { client_id: told.client_id, ...told.metadata };
  return { as, client, auth: await ways[told.method]() };
}

/** The claims of an access token, checked as a resource server checks them (RFC 9068 4). */
async function checked(as, token, audience) {
  const headers = { authorization: `Bearer ${token}` };
  return oauth.validateJwtAccessToken(as, new Request(audience, { headers }), audience, plain);
}

/** The answer once there is one; until then the test is told, and says when to ask again. */
async function polled(once) {
  for (;;) {
    try {
      return await once();
    } catch (error) {
      if (error.error !== 'authorization_pending' && error.error !== 'slow_down') throw error;
      say(error.error, { status: error.status });
      await hear();
    }
  }
}

async function signedBy(as, client, response, tokens) {
  await oauth.validateApplicationLevelSignature(as, response, plain);
  return oauth.getValidatedIdTokenClaims(tokens);
}

/** An option that proves a new key with each request, where the test wants one. */
async function proving(client, told) {
  if (!told.dpop) return {};
  return { DPoP: oauth.DPoP(client, await oauth.generateKeyPair('ES256')) };
}

/** Once, and once more when the server demanded a nonce. */
async function withNonce(attempt) {
  try {
    return await attempt();
  } catch (error) {
    if (!oauth.isDPoPNonceError(error)) throw error;
    say('nonce');
    return attempt();
  }
}

await play({
  async discovery(told) {
    return { metadata: (await opened(told)).as };
  },

  async client_credentials(told) {
    const { as, client, auth } = await opened(told);
    const options = { ...plain, ...(await proving(client, told)) };
    const tokens = await withNonce(async () => {
      const response = await oauth.clientCredentialsGrantRequest(as, client, auth, told.parameters, options);
      return oauth.processClientCredentialsResponse(as, client, response);
    });
    if (told.dpop) return { tokens, thumbprint: await options.DPoP.calculateThumbprint() };
    return { tokens, access: await checked(as, tokens.access_token, told.audience) };
  },

  async token_exchange(told) {
    const { as, client, auth } = await opened(told);
    const grant = 'urn:ietf:params:oauth:grant-type:token-exchange';
    const response = await oauth.genericTokenEndpointRequest(as, client, auth, grant, told.parameters, plain);
    const tokens = await oauth.processGenericTokenEndpointResponse(as, client, response);
    return { tokens, access: await checked(as, tokens.access_token, told.audience) };
  },

  async introspection(told) {
    const { as, client, auth } = await opened(told);
    const options = { ...plain, requestJwtResponse: told.signed };
    const response = await oauth.introspectionRequest(as, client, auth, told.token, options);
    const answer = await oauth.processIntrospectionResponse(as, client, response);
    if (told.signed) await oauth.validateApplicationLevelSignature(as, response, plain);
    return { answer };
  },

  async revocation(told) {
    const { as, client, auth } = await opened(told);
    const response = await oauth.revocationRequest(as, client, auth, told.token, plain);
    await oauth.processRevocationResponse(response);
  },

  async ciba(told) {
    const { as, client, auth } = await opened(told);
    const asking = await oauth.backchannelAuthenticationRequest(as, client, auth, told.parameters, plain);
    const asked = await oauth.processBackchannelAuthenticationResponse(as, client, asking);
    say('asked', { asked });
    let response;
    const tokens = await polled(async () => {
      response = await oauth.backchannelAuthenticationGrantRequest(as, client, auth, asked.auth_req_id, plain);
      return oauth.processBackchannelAuthenticationGrantResponse(as, client, response);
    });
    const id = await signedBy(as, client, response, tokens);
    return { tokens, id, access: await checked(as, tokens.access_token, told.audience) };
  },
});
