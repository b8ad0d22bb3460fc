// Plays flows with openid-client, which waits and polls by itself.
import * as client from 'openid-client';

import { readMessage, play, proof, say, signingKey } from './talking.mjs';

async function opened(told) {
  const ways = {
    client_secret_basic: () => client.ClientSecretBasic(told.secret),
    client_secret_post: () => client.ClientSecretPost(told.secret),
    private_key_jwt: async () =>
      client.PrivateKeyJwt({ key: await signingKey(told.jwk), kid: told.jwk.kid }),
    none: () => client.None(),
  };
  const execute = [client.allowInsecureRequests, client.enableNonRepudiationChecks];
  const auth = await ways[told.method]();
  const { issuer, client_id: id, metadata, algorithm } = told;
  return client.discovery(new URL(issuer), id, metadata, auth, { execute, algorithm });
}

/** Tells the test about each answer after which the library retries by itself. */
async function watched(url, sent) {
  const response = await fetch(url, sent);
  if (response.status === 503) say('busy', { after: response.headers.get('retry-after') });
  return response;
}

/** Returns an option with DPoP proofs of a new key, if the test wants them. */
async function proving(config, told) {
  if (!told.dpop) return undefined;
  return { DPoP: client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256')) };
}

await play({
  async discovery(told) {
    return { metadata: (await opened(told)).serverMetadata() };
  },

  async client_credentials(told) {
    const config = await opened(told);
    const options = await proving(config, told);
    const tokens = await client.clientCredentialsGrant(config, told.parameters, options);
    return { tokens, thumbprint: await options?.DPoP.calculateThumbprint() };
  },

  async token_exchange(told) {
    const grant = 'urn:ietf:params:oauth:grant-type:token-exchange';
    return { tokens: await client.genericGrantRequest(await opened(told), grant, told.parameters) };
  },

  async authorization_code(told) {
    const config = await opened(told);
    const options = await proving(config, told);
    const verifier = client.randomPKCECodeVerifier();
    const [state, nonce] = [client.randomState(), client.randomNonce()];
    const asked = {
      redirect_uri: told.redirect_uri,
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state,
      nonce,
      ...told.parameters,
    };
    const url = told.pushed
      ? await client.buildAuthorizationUrlWithPAR(config, asked, options)
      : client.buildAuthorizationUrl(config, asked);
    say('visit', { url });
    const came = new URL((await readMessage()).url);
    const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true };
    const tokens = await client.authorizationCodeGrant(config, came, checks, undefined, options);
    const id = tokens.claims();
    if (!tokens.refresh_token) return { tokens, id };
    const user = await client.fetchUserInfo(config, tokens.access_token, id.sub, options);
    const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token, undefined, options);
    return { tokens, id, user, refreshed };
  },

  async device_code(told) {
    const config = await opened(told);
    const pair = await client.randomDPoPKeyPair('ES256');
    config[client.customFetch] = async (url, sent) => {
      const headers = { ...sent.headers, DPoP: await proof(pair, sent.method, url) };
      return fetch(url, { ...sent, headers });
    };
    const asked = await client.initiateDeviceAuthorization(config, told.parameters);
    config[client.customFetch] = fetch;
    say('asked', { asked });
    await readMessage();
    const options = { DPoP: client.getDPoPHandle(config, pair) };
    const waiting = { ...asked, ...told.believing };
    const tokens = await client.pollDeviceAuthorizationGrant(config, waiting, undefined, options);
    const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token, undefined, options);
    return { tokens, refreshed };
  },

  async registration(told) {
    const execute = [client.allowInsecureRequests];
    const how = { execute, initialAccessToken: told.token };
    const auth = client.ClientSecretBasic();
    const config = await client.dynamicClientRegistration(new URL(told.issuer), told.metadata, auth, how);
    return { client: config.clientMetadata() };
  },

  async introspection(told) {
    return { answer: await client.tokenIntrospection(await opened(told), told.token) };
  },

  async revocation(told) {
    await client.tokenRevocation(await opened(told), told.token);
  },

  async ciba(told) {
    const config = await opened(told);
    const asked = await client.initiateBackchannelAuthentication(config, told.parameters);
    say('asked', { asked });
    if (told.paused) await readMessage();
    config[client.customFetch] = watched;
    const waiting = { ...asked, ...told.believing };
    const options = await proving(config, told);
    const tokens = await client.pollBackchannelAuthenticationGrant(config, waiting, undefined, options);
    return { tokens, id: tokens.claims(), thumbprint: await options?.DPoP.calculateThumbprint() };
  },
});
