// What every client does: a query, a mutation that is refused, pages of a list, and an error.
export const VIEWER = 'query Viewer { viewer { role } }';
export const CREATE = `mutation Create($input: AccountCreateInput!) {
  accountCreate(input: $input) { account { id } userErrors { code field } }
}`;
export const REFUSED = { input: { externalId: 'client', businessName: '', country: 'DE' } };
export const PAGES = `query Pages($after: String) {
  accounts(first: 5, after: $after) {
    nodes { id externalId }
    pageInfo { hasNextPage endCursor }
  }
}`;
export const MISSING = 'query Missing { node(id: "nonsense") { id } }';

// The fetch that is counted: which requests had a document, and which only its hash.
export function counting(token) {
  const seen = [];
  async function fetchFn(url, options = {}) {
    const query = new URL(url).searchParams;
    const body = options.body ? JSON.parse(options.body) : Object.fromEntries(query);
    seen.push({ method: options.method ?? 'GET', text: Boolean(body.query) });
    const headers = { ...Object.fromEntries(new Headers(options.headers)) };
    headers.authorization = `Bearer ${token}`;
    return fetch(url, { ...options, headers });
  }
  return { seen, fetchFn };
}

export function print(found) {
  console.log(JSON.stringify(found));
}
