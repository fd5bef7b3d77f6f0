/*
 * Hive Gateway with its Rust planner, what the two queries do not need switched off. Its `jit` stays off: with this planner it answers
 * null without asking any subgraph (2.15.1).
 */
import { defineConfig } from '@graphql-hive/gateway';
import { unifiedGraphHandler } from '@graphql-hive/router-runtime';

export const gatewayConfig = defineConfig({
  unifiedGraphHandler,
  graphiql: false,
  landingPage: false,
  logging: 'error',
  requestId: false,
});
