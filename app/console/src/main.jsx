// GraphiQL for this server, with a field for the token that every request needs.
import 'graphiql/setup-workers/vite';
import 'graphiql/style.css';
import './main.css';

import { GraphiQL } from 'graphiql';
import { useMemo, useState } from 'react';
import { createRoot } from 'react-dom/client';

// Kept for this tab alone: whoever holds a token is the person it was made for.
const KEY = 'recourse-token';
const FIRST_QUERY = `# Ctrl-Enter runs what stands here.
query Why {
  viewer {
    role
  }
  accounts(first: 3) {
    nodes {
      businessName
      status
      disabledReason
    }
  }
}
`;

// Sends the token also before the editor of headers is there; what stands in that goes before it.
function fetcherFor(token) {
  return async (call, { headers: typed } = {}) => {
    const headers = new Headers({
      accept: 'application/graphql-response+json, application/json;q=0.9',
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
    });
    Object.entries(typed ?? {}).forEach(([name, value]) => headers.set(name, value));
    const body = JSON.stringify(call);
    const response = await fetch('/graphql', { method: 'POST', headers, body });
    return response.json();
  };
}

function headersFor(token) {
  return JSON.stringify({ Authorization: `Bearer ${token}` }, null, 2);
}

function TokenForm({ onToken, token }) {
  function submit(event) {
    event.preventDefault();
    const given = new FormData(event.currentTarget).get('token').trim();
    onToken(given.replace(/^bearer\s+/i, ''));
  }
  return (
    <form className="token" onSubmit={submit}>
      <label htmlFor="token">Token</label>
      <input
        id="token"
        name="token"
        type="password"
        autoComplete="off"
        defaultValue={token}
        placeholder="as `recourse serve` or `recourse token` prints it"
      />
      <button type="submit">Use it</button>
    </form>
  );
}

function Console() {
  const [token, setToken] = useState(sessionStorage.getItem(KEY) ?? '');
  const fetcher = useMemo(() => fetcherFor(token), [token]);
  function use(given) {
    sessionStorage.setItem(KEY, given);
    setToken(given);
  }
  // Another token is another key: GraphiQL begins anew and asks for the schema as that person.
  return (
    <>
      <TokenForm onToken={use} token={token} />
      {token && (
        <GraphiQL
          key={token}
          fetcher={fetcher}
          initialHeaders={headersFor(token)}
          defaultQuery={FIRST_QUERY}
          defaultEditorToolsVisibility="headers"
        />
      )}
    </>
  );
}

createRoot(document.getElementById('root')).render(<Console />);
