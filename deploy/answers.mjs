/* Health check of a process behind the gateway: it answers, and refuses whoever is not the gateway. node deploy/answers.mjs URL STATUS */
const [address, wanted] = process.argv.slice(2);
const answer = await fetch(address, { signal: AbortSignal.timeout(2_000) }).catch(() => null);
process.exitCode = answer?.status === Number(wanted) ? 0 : 1;
