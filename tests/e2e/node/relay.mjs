// Relay's runtime on what its compiler made.
// Arguments: the server's URL, a token, and the folder that the compiler wrote to.
import {
  commitMutation,
  ConnectionHandler,
  Environment,
  fetchQuery,
  Network,
  RecordSource,
  Store,
} from 'relay-runtime';

import { print, REFUSED } from './operations.mjs';

const [url, token, folder] = process.argv.slice(2);
const codes = [];

async function made(name) {
  const module = await import(`${folder}/${name}.graphql.js`);
  return module.default;
}

const viewer = await made('operationsViewerQuery');
const create = await made('operationsCreateMutation');
const list = await made('operationsListQuery');
const missing = await made('operationsMissingQuery');

async function ask({ text }, variables) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ query: text, variables }),
  });
  const answer = await response.json();
  codes.push(...(answer.errors ?? []).map((each) => each.extensions.code));
  return answer;
}

const environment = new Environment({
  network: Network.create(ask),
  store: new Store(new RecordSource()),
});

const { viewer: seen } = await fetchQuery(environment, viewer, {}).toPromise();
const mutation = await new Promise((onCompleted, onError) => {
  commitMutation(environment, { mutation: create, variables: REFUSED, onCompleted, onError });
});

// The connection as Relay's store holds it, each page appended to the ones before.
function connection() {
  let found;
  environment.commitUpdate((store) => {
    const held = ConnectionHandler.getConnection(store.getRoot(), 'operations_accounts');
    const info = held.getLinkedRecord('pageInfo');
    found = {
      listed: held
        .getLinkedRecords('edges')
        .map((edge) => edge.getLinkedRecord('node').getValue('externalId')),
      cursor: info.getValue('hasNextPage') ? info.getValue('endCursor') : null,
    };
  });
  return found;
}

let cursor = null;
do {
  const operation = { count: 5, cursor };
  await fetchQuery(environment, list, operation, { fetchPolicy: 'network-only' }).toPromise();
  ({ cursor } = connection());
} while (cursor);

await fetchQuery(environment, missing, {}).toPromise();

print({
  viewer: [seen.role],
  userErrors: mutation.accountCreate.userErrors.map((each) => each.code),
  listed: connection().listed,
  code: codes[0],
});
