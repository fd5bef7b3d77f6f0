/* The gateway of the usual federation, as its guide starts it. */
import { ApolloGateway } from '@apollo/gateway';
import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import { readFile } from 'node:fs/promises';
import { ready } from './data.mjs';

const gateway = new ApolloGateway({ supergraphSdl: await readFile(process.argv[2], 'utf8') });
const server = new ApolloServer({ gateway });
const { url } = await startStandaloneServer(server, { listen: { host: '127.0.0.1', port: Number(process.env.PORT ?? 0) } });
ready(new URL(url).port);
