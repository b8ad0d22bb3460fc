// node-oidc-provider as the peer of the benchmarks: CIBA, token exchange, introspection, in memory.
//
// `node server.mjs PORT` prints "ready" when it listens. Each line of input then names what to
// prepare and how many, {"make": "pending", "count": 100}, and the response is one JSON list.
import { generateKeyPair, exportJWK, createLocalJWKSet, jwtVerify } from 'jose';
import { createInterface } from 'node:readline';
import Provider, { errors } from 'oidc-provider';
import { Memory } from './memory.mjs';

console.info = console.error; // the provider's notices; standard output has only the responses

const port = Number(process.argv[2]);
const issuer = `http://localhost:${port}`;
const API = 'https://pay.example';
const OPAQUE_API = 'https://opaque.example';
const USER = 'user';
const SCOPE = 'openid payments:read';
const CIBA = 'urn:openid:params:grant-type:ciba';
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const SECONDS = 3600;

const { privateKey } = await generateKeyPair('ES256', { extractable: true });
const key = { ...(await exportJWK(privateKey)), kid: 'bench', alg: 'ES256', use: 'sig' };
const { d, ...publicKey } = key;
const jwks = createLocalJWKSet({ keys: [publicKey] });

const resourceServer = (format) => ({
  scope: 'payments:read payments:transfer',
  accessTokenFormat: format,
  accessTokenTTL: SECONDS,
  jwt: { sign: { alg: 'ES256' } },
});

const provider = new Provider(issuer, {
  adapter: Memory,
  jwks: { keys: [key] },
  routes: { backchannel_authentication: '/bc-authorize', introspection: '/introspect', token: '/token' },
  clients: [{
    client_id: 'agent',
    client_secret: 'a-secret-of-the-agent-that-is-long-enough',
    grant_types: ['client_credentials', CIBA, EXCHANGE],
    response_types: [],
    redirect_uris: [],
    scope: SCOPE,
    id_token_signed_response_alg: 'ES256',
    backchannel_token_delivery_mode: 'poll',
  }],
  scopes: ['openid', 'payments:read', 'payments:transfer'],
  ttl: { AccessToken: SECONDS, BackchannelAuthenticationRequest: SECONDS, Grant: SECONDS, IdToken: SECONDS },
  findAccount: (ctx, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true, allowedPolicy: () => true },
    ciba: {
      enabled: true,
      deliveryModes: ['poll'],
      processLoginHint: (ctx, hint) => hint,
      validateBindingMessage() {},
      validateRequestContext() {},
      verifyUserCode() {},
      triggerAuthenticationDevice() {},
    },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => API,
      useGrantedResource: () => true,
      getResourceServerInfo: (ctx, uri) => resourceServer(uri === OPAQUE_API ? 'opaque' : 'jwt'),
    },
  },
});

/** RFC 8693 in the shortest form: verify the subject token, sign a new one that names the actor. */
async function exchange(ctx) {
  const { client, params } = ctx.oidc;
  const { payload } = await jwtVerify(params.subject_token, jwks, { issuer }).catch(() => {
    throw new errors.InvalidGrant('the subject token is not valid');
  });
  const token = new provider.AccessToken({
    client, accountId: payload.sub, gty: 'token_exchange', scope: params.scope,
    extra: { act: { sub: client.clientId } },
  });
  token.resourceServer = new provider.ResourceServer(API, resourceServer('jwt'));
  ctx.body = {
    access_token: await token.save(),
    issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    expires_in: token.expiration,
    scope: token.scope,
    token_type: token.tokenType,
  };
}
provider.registerGrantType(EXCHANGE, exchange, ['subject_token', 'subject_token_type', 'scope']);

const client = await provider.Client.find('agent');

async function pending() {
  const request = new provider.BackchannelAuthenticationRequest({
    client, accountId: USER, scope: SCOPE, resource: API, claims: {}, params: { scope: SCOPE },
  });
  return [request, await request.save()];
}

async function accessToken(uri, format) {
  const token = new provider.AccessToken({
    client, accountId: USER, gty: 'ciba', scope: 'payments:read',
  });
  token.resourceServer = new provider.ResourceServer(uri, resourceServer(format));
  return token.save();
}

const makers = {
  pending: async () => (await pending())[1],
  async approved() {
    const [request, handle] = await pending();
    const grant = new provider.Grant({ clientId: client.clientId, accountId: USER });
    grant.addOIDCScope('openid');
    grant.addResourceScope(API, 'payments:read');
    await grant.save();
    await provider.backchannelResult(request, grant);
    return handle;
  },
  subject: () => accessToken(API, 'jwt'),
  opaque: () => accessToken(OPAQUE_API, 'opaque'),
};

provider.listen(port, '127.0.0.1', async () => {
  process.stdout.write('ready\n');
  for await (const line of createInterface({ input: process.stdin })) {
    const { make, count } = JSON.parse(line);
    const made = [];
    for (let n = 0; n < count; n += 1) made.push(await makers[make]());
    process.stdout.write(`${JSON.stringify(made)}\n`);
  }
});
