// Plays a flow with the MCP SDK for TypeScript 1.x.
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

import { playMcp } from './mcp-typescript-flow.mjs';

const finish = (transport, answer) => transport.finishAuth(answer.get('code'));
await playMcp({ Client, StreamableHTTPClientTransport, UnauthorizedError, finish, options: {} });
