// urql with automatic persisted queries. Arguments: the server's URL and a token.
import { cacheExchange, Client, fetchExchange } from '@urql/core';
import { persistedExchange } from '@urql/exchange-persisted';

import { counting, CREATE, MISSING, PAGES, print, REFUSED, VIEWER } from './operations.mjs';

const [url, token] = process.argv.slice(2);
const { fetchFn, seen } = counting(token);
const client = new Client({
  url,
  exchanges: [cacheExchange, persistedExchange({ preferGetForPersistedQueries: true }), fetchExchange],
  fetch: fetchFn,
  requestPolicy: 'network-only',
});

const first = await client.query(VIEWER, {}).toPromise();
const missed = seen.splice(0);
const second = await client.query(VIEWER, {}).toPromise();
const hit = seen.splice(0);
const mutation = await client.mutation(CREATE, REFUSED).toPromise();

const listed = [];
let after = null;
do {
  const { data } = await client.query(PAGES, { after }).toPromise();
  listed.push(...data.accounts.nodes.map((each) => each.externalId));
  after = data.accounts.pageInfo.hasNextPage ? data.accounts.pageInfo.endCursor : null;
} while (after);

const failed = await client.query(MISSING, {}).toPromise();
print({
  viewer: [first.data.viewer.role, second.data.viewer.role],
  userErrors: mutation.data.accountCreate.userErrors.map((each) => each.code),
  listed,
  code: failed.error.graphQLErrors[0].extensions.code,
  persisted: { missed, hit },
});
