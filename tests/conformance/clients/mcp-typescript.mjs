// Plays a flow with the MCP SDK for TypeScript.
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

import { hear, play, say } from './talking.mjs';

/** What the client keeps: its registration, if the test gave it one, and its tokens. */
class Provider {
  constructor(told) {
    this.clientMetadata = told.metadata;
    this.clientMetadataUrl = told.metadata_url;
    this.redirectUrl = told.metadata.redirect_uris[0];
    this.known = told.client;
  }
  clientInformation() {
    return this.known;
  }
  saveClientInformation(known) {
    this.known = known;
  }
  tokens() {
    return this.saved;
  }
  saveTokens(tokens) {
    this.saved = tokens;
  }
  codeVerifier() {
    return this.verifier;
  }
  saveCodeVerifier(verifier) {
    this.verifier = verifier;
  }
  redirectToAuthorization(url) {
    say('visit', { url });
  }
}

await play({
  async mcp(told) {
    const authProvider = new Provider(told);
    let transport;

    /** Do it, and once more after the person has consented. */
    async function consented(act) {
      try {
        return await act();
      } catch (error) {
        if (!(error instanceof UnauthorizedError)) throw error;
        const came = new URL((await hear()).url);
        await transport.finishAuth(came.searchParams.get('code'));
        return act();
      }
    }

    const client = new Client({ name: 'notes', version: '1' });
    await consented(() => {
      transport = new StreamableHTTPClientTransport(new URL(told.url), { authProvider });
      return client.connect(transport);
    });
    for (const [name, args] of told.calls) {
      const result = await consented(() => client.callTool({ name, arguments: args }));
      say('called', { tool: name, text: result.content[0].text, failed: result.isError === true });
    }
    return { scope: authProvider.saved.scope, client_id: authProvider.known.client_id };
  },
});
