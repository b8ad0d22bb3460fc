// Plays flows with openid-client, which waits and asks again by itself.
import * as client from 'openid-client';

import { play, say, signingKey } from './talking.mjs';

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

await play({
  async discovery(told) {
    return { metadata: (await opened(told)).serverMetadata() };
  },

  async client_credentials(told) {
    const config = await opened(told);
    const pair = told.dpop && (await client.randomDPoPKeyPair('ES256'));
    const options = pair && { DPoP: client.getDPoPHandle(config, pair) };
    const tokens = await client.clientCredentialsGrant(config, told.parameters, options);
    return { tokens, thumbprint: await options?.DPoP.calculateThumbprint() };
  },

  async token_exchange(told) {
    const grant = 'urn:ietf:params:oauth:grant-type:token-exchange';
    return { tokens: await client.genericGrantRequest(await opened(told), grant, told.parameters) };
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
    const waiting = { ...asked, ...told.believing };
    const tokens = await client.pollBackchannelAuthenticationGrant(config, waiting);
    return { tokens, id: tokens.claims() };
  },
});
