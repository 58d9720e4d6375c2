// Runs every audit of graphql-http against a server, and prints what came of each.
// Arguments: the server's URL and a token.
import { serverAudits } from 'graphql-http';

const [url, token] = process.argv.slice(2);

// The audits send no token of their own.
function fetchFn(address, options = {}) {
  const headers = { ...options.headers, authorization: `Bearer ${token}` };
  return fetch(address, { ...options, headers });
}

const results = [];
for (const audit of serverAudits({ url, fetchFn })) {
  const { id, name, status, reason } = await audit.fn();
  results.push({ id, name, status, reason: reason ?? null });
}
console.log(JSON.stringify(results));
