// What Relay's compiler reads, beside a copy of the schema; what it writes is not kept.
import { graphql } from 'relay-runtime';

export const viewer = graphql`
  query operationsViewerQuery {
    viewer {
      role
    }
  }
`;

export const create = graphql`
  mutation operationsCreateMutation($input: AccountCreateInput!) {
    accountCreate(input: $input) {
      account {
        id
      }
      userErrors {
        code
        field
      }
    }
  }
`;

export const list = graphql`
  query operationsListQuery($count: Int!, $cursor: String) {
    accounts(first: $count, after: $cursor) @connection(key: "operations_accounts") {
      edges {
        node {
          id
          externalId
        }
      }
    }
  }
`;

export const missing = graphql`
  query operationsMissingQuery {
    node(id: "nonsense") {
      id
    }
  }
`;
