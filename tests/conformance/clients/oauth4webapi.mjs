// Plays flows with oauth4webapi, with which a program sends and checks each step itself.
import * as oauth from 'oauth4webapi';

import { readMessage, play, proof, say, signingKey } from './talking.mjs';

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

/** Returns the claims of an access token, checked as a resource server does (RFC 9068 4). */
async function checked(as, token, audience) {
  const headers = { authorization: `Bearer ${token}` };
  return oauth.validateJwtAccessToken(as, new Request(audience, { headers }), audience, plain);
}

/** Repeats a poll until it has an answer; after each pending one the test says when to retry. */
async function polled(once) {
  for (;;) {
    try {
      return await once();
    } catch (error) {
      if (error.error !== 'authorization_pending' && error.error !== 'slow_down') throw error;
      say(error.error, { status: error.status });
      await readMessage();
    }
  }
}

async function signedBy(as, client, response, tokens) {
  await oauth.validateApplicationLevelSignature(as, response, plain);
  return oauth.getValidatedIdTokenClaims(tokens);
}

/** Returns the authorization URL, and the values with which its answer will be compared. */
async function asking({ as, client, auth }, told, options) {
  const verifier = oauth.generateRandomCodeVerifier();
  const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()];
  const parameters = {
    response_type: 'code',
    redirect_uri: told.redirect_uri,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    nonce,
    ...told.parameters,
  };
  let sent = { client_id: client.client_id, ...parameters };
  if (told.pushed) {
    const response = await oauth.pushedAuthorizationRequest(as, client, auth, parameters, options);
    const pushed = await oauth.processPushedAuthorizationResponse(as, client, response);
    sent = { client_id: client.client_id, request_uri: pushed.request_uri };
  }
  return { url: `${as.authorization_endpoint}?${new URLSearchParams(sent)}`, verifier, state, nonce };
}

/** Returns options with DPoP proofs of a new key, if the test wants them. */
async function proving(client, told) {
  if (!told.dpop) return {};
  return { DPoP: oauth.DPoP(client, await oauth.generateKeyPair('ES256')) };
}

/** Runs an attempt, and runs it again if the server demanded a nonce. */
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

  async authorization_code(told) {
    const { as, client, auth } = await opened(told);
    const options = { ...plain, ...(await proving(client, told)) };
    const { url, verifier, state, nonce } = await asking({ as, client, auth }, told, options);
    say('visit', { url });
    const came = oauth.validateAuthResponse(as, client, new URL((await readMessage()).url), state);
    const redeeming = await oauth.authorizationCodeGrantRequest(
      as, client, auth, came, told.redirect_uri, verifier, options);
    const wanted = { expectedNonce: nonce, requireIdToken: true };
    const tokens = await oauth.processAuthorizationCodeResponse(as, client, redeeming, wanted);
    const id = await signedBy(as, client, redeeming, tokens);
    if (!tokens.refresh_token) return { tokens, id };
    const looking = await oauth.userInfoRequest(as, client, tokens.access_token, options);
    const user = await oauth.processUserInfoResponse(as, client, id.sub, looking);
    const going = await oauth.refreshTokenGrantRequest(as, client, auth, tokens.refresh_token, options);
    const refreshed = await oauth.processRefreshTokenResponse(as, client, going);
    return { tokens, id, user, refreshed };
  },

  async device_code(told) {
    const { as, client, auth } = await opened(told);
    const pair = await oauth.generateKeyPair('ES256');
    const headers = { DPoP: await proof(pair, 'POST', as.device_authorization_endpoint) };
    const asking = await oauth.deviceAuthorizationRequest(as, client, auth, told.parameters, { ...plain, headers });
    const asked = await oauth.processDeviceAuthorizationResponse(as, client, asking);
    say('asked', { asked });
    const options = { ...plain, DPoP: oauth.DPoP(client, pair) };
    const tokens = await polled(async () => {
      const response = await oauth.deviceCodeGrantRequest(as, client, auth, asked.device_code, options);
      return oauth.processDeviceCodeResponse(as, client, response);
    });
    const going = await oauth.refreshTokenGrantRequest(as, client, auth, tokens.refresh_token, options);
    return { tokens, refreshed: await oauth.processRefreshTokenResponse(as, client, going) };
  },

  async registration(told) {
    const issuer = new URL(told.issuer);
    const found = await oauth.discoveryRequest(issuer, plain);
    const as = await oauth.processDiscoveryResponse(issuer, found);
    const options = { ...plain, initialAccessToken: told.token };
    const response = await oauth.dynamicClientRegistrationRequest(as, told.metadata, options);
    return { client: await oauth.processDynamicClientRegistrationResponse(response) };
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
    const options = { ...plain, ...(await proving(client, told)) };
    let response;
    const tokens = await polled(async () => {
      response = await oauth.backchannelAuthenticationGrantRequest(as, client, auth, asked.auth_req_id, options);
      return oauth.processBackchannelAuthenticationGrantResponse(as, client, response);
    });
    const id = await signedBy(as, client, response, tokens);
    if (told.dpop) return { tokens, id, thumbprint: await options.DPoP.calculateThumbprint() };
    return { tokens, id, access: await checked(as, tokens.access_token, told.audience) };
  },
});
