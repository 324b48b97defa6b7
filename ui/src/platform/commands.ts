// The commands of the Connections and Setup views beside those of the generated list.

import type * as api from '../generated/api';

export type Commands = api.Commands & {
  connections: { request: null; response: api.ConnectionsView };
  explain: { request: api.ExplainRequest; response: api.Explanation };
  discover: { request: api.DiscoverRequest; response: api.Discovery };
  certificates: { request: null; response: api.CertificatesView };
  trust: { request: api.TrustRequest; response: unknown };
  import_certificate: { request: api.ImportRequest; response: unknown };
  explore: { request: api.ExploreRequest; response: api.Explored };
  close_exploration: { request: api.SessionRequest; response: unknown };
  browse: { request: api.BrowseRequest; response: api.BrowsePage };
  node: { request: api.NodeRequest; response: api.NodeDetails };
  preview: { request: api.PreviewRequest; response: api.Preview };
  search: { request: api.SearchRequest; response: api.SearchPage };
  propose: { request: api.ProposeRequest; response: api.Proposal };
  apply: { request: api.ApplyRequest; response: api.Applied };
};
