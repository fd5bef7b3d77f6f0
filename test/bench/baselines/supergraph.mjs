/* Prints the supergraph of the subgraphs named as name=url on the command line. */
import { composeServices } from '@apollo/composition';
import { parse } from 'graphql';
import { schemas } from './schemas.mjs';

const services = process.argv.slice(2).map((argument) => {
  const [name, url] = argument.split('=');
  return { name, url, typeDefs: parse(schemas[name]) };
});
const { supergraphSdl, errors } = composeServices(services);
if (errors !== undefined) throw new Error(errors.join('\n'));
process.stdout.write(supergraphSdl);
