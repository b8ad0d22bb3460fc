// A flow with the MCP SDK for TypeScript, of any release.
import { readMessage, play, say } from './talking.mjs';

/** Stores the client's registration, if the test provides one, and its tokens. */
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

/** Plays the flow with the classes of one release of the SDK. */
export const playMcp = ({ Client, StreamableHTTPClientTransport, UnauthorizedError, finish, options }) => play({
  async mcp(told) {
    const authProvider = new Provider(told);
    let transport;

    /** Runs an action, and runs it again after the user has consented. */
    async function consented(act) {
      try {
        return await act();
      } catch (error) {
        if (!(error instanceof UnauthorizedError)) throw error;
        await finish(transport, new URL((await readMessage()).url).searchParams);
        return act();
      }
    }

    const client = new Client({ name: 'notes', version: '1' }, options);
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
