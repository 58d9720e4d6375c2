// Apollo Client with automatic persisted queries. Arguments: the server's URL and a token.
import { createHash } from 'node:crypto';

import { ApolloClient, ApolloLink, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { CombinedGraphQLErrors } from '@apollo/client/errors';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { filter, firstValueFrom } from 'rxjs';

import { counting, CREATE, MISSING, PAGES, print, REFUSED, VIEWER } from './operations.mjs';

const [url, token] = process.argv.slice(2);
const { fetchFn, seen } = counting(token);
const sha256 = (text) => createHash('sha256').update(text).digest('hex');
const link = ApolloLink.from([
  new PersistedQueryLink({ sha256, useGETForHashedQueries: true }),
  new HttpLink({ uri: url, fetch: fetchFn }),
]);
const cache = new InMemoryCache({
  typePolicies: { Query: { fields: { accounts: { keyArgs: false, merge: appended } } } },
});
const client = new ApolloClient({ link, cache });

function appended(known, incoming) {
  return known ? { ...incoming, nodes: [...known.nodes, ...incoming.nodes] } : incoming;
}

const query = { query: gql(VIEWER), fetchPolicy: 'network-only' };
const first = await client.query(query);
const missed = seen.splice(0);
const second = await client.query(query);
const hit = seen.splice(0);
const mutation = await client.mutate({ mutation: gql(CREATE), variables: REFUSED });

const pages = client.watchQuery({ query: gql(PAGES) });
const subscription = pages.subscribe(() => {});
const arrived = pages.pipe(filter((result) => result.dataState === 'complete'));
let page = (await firstValueFrom(arrived)).data.accounts;
while (page.pageInfo.hasNextPage) {
  const more = await pages.fetchMore({ variables: { after: page.pageInfo.endCursor } });
  page = more.data.accounts;
}
const listed = cache.readQuery({ query: gql(PAGES) }).accounts.nodes.map((each) => each.externalId);
subscription.unsubscribe();

const failed = await client.query({ query: gql(MISSING), errorPolicy: 'all' });
const code = CombinedGraphQLErrors.is(failed.error) && failed.error.errors[0].extensions.code;
print({
  viewer: [first.data.viewer.role, second.data.viewer.role],
  userErrors: mutation.data.accountCreate.userErrors.map((each) => each.code),
  listed,
  code,
  persisted: { missed, hit },
});
