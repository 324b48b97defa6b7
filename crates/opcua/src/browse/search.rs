//! Finding nodes by text, and all variables of a branch.
//!
//! Both walk breadth first and stop at their limits; a search can go on from where it stopped.

use super::tree::{Node, NodeClass};
use super::walk::{NODES_MAX, Seen, Walk};
use super::{Explorer, Failure, OBJECTS};
use std::collections::BTreeMap;
use std::sync::PoisonError;
use std::time::Duration;
use tokio::time::Instant;

/// Searches that can be continued.
const SEARCHES_MAX: usize = 4;
/// Variables of one branch, at most.
pub(crate) const BRANCH_MAX: usize = 50_000;
/// No single call takes longer than this, whatever was asked for.
const DEADLINE_MAX: Duration = Duration::from_secs(60);

/// What to look for.
#[derive(Clone, Debug, PartialEq)]
pub struct Search {
    /// Part of the name, the browse name or the node id, upper or lower case.
    pub text: String,
    /// Where to begin: the Objects folder by default.
    pub under: Option<String>,
    /// Nodes wanted from one call.
    pub limit: usize,
    /// Time for one call; at most a minute.
    pub deadline: Duration,
}

/// A node with where it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    pub node: Node,
    /// Browse names from below the beginning down to the node itself.
    pub path: Vec<String>,
}

/// What one call found.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchPage {
    pub found: Vec<Found>,
    /// Nodes looked at since the search began.
    pub visited: usize,
    /// Everything was looked at: what is not found is not there.
    pub complete: bool,
    /// Branches the server would not show, or not to the end.
    pub refused: usize,
    /// Hand this to [`Explorer::search_on`] to go on.
    pub more: Option<u64>,
}

/// The variables below a node.
#[derive(Clone, Debug, PartialEq)]
pub struct Branch {
    pub variables: Vec<Found>,
    pub visited: usize,
    pub complete: bool,
}

/// Searches that can go on, by token.
#[derive(Default)]
pub(crate) struct Searches {
    next: u64,
    open: BTreeMap<u64, Open>,
}

struct Open {
    walk: Walk,
    search: Search,
    /// Nodes before this position were compared.
    compared: usize,
}

impl Explorer {
    /// Begins a search.
    pub async fn search(&self, search: Search) -> Result<SearchPage, Failure> {
        let walk = self.walk(search.under.as_deref()).await?;
        self.go(Open { walk, search, compared: 1 }).await
    }

    /// Goes on with a search, with as much time and as many nodes again. Each token serves once.
    pub async fn search_on(&self, more: u64) -> Result<SearchPage, Failure> {
        let open = self.searches.lock().unwrap_or_else(PoisonError::into_inner).open.remove(&more);
        self.go(open.ok_or_else(|| Failure::gone("search"))?).await
    }

    /// All variables below `node` but properties, at most `limit` (and never more than 50,000).
    pub async fn subtree(&self, node: &str, limit: usize) -> Result<Branch, Failure> {
        let mut walk = self.walk(Some(node)).await?;
        let limit = limit.min(BRANCH_MAX);
        let is_tag = |seen: &Seen| seen.class == NodeClass::Variable && !seen.property;
        let mut indexes: Vec<usize> = (0..1).filter(|_| is_tag(&walk.nodes[0])).collect();
        let deadline = Instant::now() + DEADLINE_MAX;
        while !walk.done() && indexes.len() <= limit && Instant::now() < deadline {
            let new = walk.step(&self.calls, deadline).await?;
            indexes.extend(new.filter(|index| is_tag(&walk.nodes[*index])));
            walk.without_server();
        }
        let complete = walk.complete() && indexes.len() <= limit;
        indexes.truncate(limit);
        Ok(Branch { variables: self.found(&walk, &indexes).await?, visited: walk.nodes.len(), complete })
    }

    /// A walk from `node`, about which only what a walk needs is asked.
    pub(crate) async fn walk(&self, node: Option<&str>) -> Result<Walk, Failure> {
        let names = self.calls.names().await?;
        let id = names.resolve(node.unwrap_or(OBJECTS))?;
        let root = self.seen(&names, &id).await?;
        Ok(Walk::new(names, root))
    }

    async fn go(&self, mut open: Open) -> Result<SearchPage, Failure> {
        let deadline = Instant::now() + open.search.deadline.min(DEADLINE_MAX);
        let text = open.search.text.to_lowercase();
        let mut hits = Vec::new();
        loop {
            let walk = &mut open.walk;
            while open.compared < walk.nodes.len() && hits.len() < open.search.limit {
                let seen = &walk.nodes[open.compared];
                if matches(seen, &walk.names.portable(&seen.id), &text) {
                    hits.push(open.compared);
                }
                open.compared += 1;
            }
            let enough = hits.len() >= open.search.limit || Instant::now() >= deadline;
            if enough || walk.done() || walk.nodes.len() >= NODES_MAX {
                break;
            }
            walk.step(&self.calls, deadline).await?;
        }
        let rest = open.compared < open.walk.nodes.len() || !open.walk.done();
        let may_go_on = rest && (open.compared < open.walk.nodes.len() || open.walk.nodes.len() < NODES_MAX);
        Ok(SearchPage {
            found: self.found(&open.walk, &hits).await?,
            visited: open.compared,
            complete: !rest && open.walk.complete(),
            refused: open.walk.refused,
            more: may_go_on.then(|| self.keep(open)),
        })
    }

    fn keep(&self, open: Open) -> u64 {
        let mut searches = self.searches.lock().unwrap_or_else(PoisonError::into_inner);
        searches.next += 1;
        let token = searches.next;
        searches.open.insert(token, open);
        while searches.open.len() > SEARCHES_MAX {
            searches.open.pop_first();
        }
        token
    }

    async fn found(&self, walk: &Walk, indexes: &[usize]) -> Result<Vec<Found>, Failure> {
        let seen = indexes.iter().map(|index| walk.nodes[*index].clone()).collect();
        let nodes = self.nodes(&walk.names, seen).await?;
        let path = |index: &usize| walk.path(*index).into_iter().map(String::from).collect();
        Ok(nodes.into_iter().zip(indexes).map(|(node, index)| Found { node, path: path(index) }).collect())
    }
}

/// Ids often are paths, so that those of properties hold the names above them: their own names count only.
fn matches(seen: &Seen, node: &str, text: &str) -> bool {
    let id = if seen.property { "" } else { node };
    [seen.name.as_str(), seen.display.as_str(), id].iter().any(|place| place.to_lowercase().contains(text))
}
