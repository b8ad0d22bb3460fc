// Plays a flow with the MCP SDK for TypeScript 2.x, at the newest version of MCP that both sides have.
import { Client, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client';

import { playMcp } from './mcp-typescript-flow.mjs';

const finish = (transport, answer) => transport.finishAuth(answer);
await playMcp({ Client, StreamableHTTPClientTransport, UnauthorizedError, finish, options: { versionNegotiation: { mode: 'auto' } } });
