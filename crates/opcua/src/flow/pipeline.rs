//! How many Publish requests are parked at the server.
//!
//! OPC 10000-4 5.14.5: the client keeps requests waiting; a server that holds too many answers
//! BadTooManyPublishRequests, after which none is sent until another one has returned.

/// Counts requests in flight and says when to send another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pipeline {
    target: usize,
    outstanding: usize,
    blocked: bool,
}

impl Pipeline {
    /// Two for each subscription, and never fewer than three: one answered, one under way, one waiting.
    pub(crate) fn new(subscriptions: usize) -> Pipeline {
        Pipeline { target: (2 * subscriptions).max(3), outstanding: 0, blocked: false }
    }

    /// May another request be sent now? If so it counts as sent.
    pub(crate) fn send(&mut self) -> bool {
        let free = !self.blocked && self.outstanding < self.target;
        self.outstanding += usize::from(free);
        free
    }

    /// Requests at the server.
    pub(crate) fn outstanding(&self) -> usize {
        self.outstanding
    }

    /// A request came back, with whatever result but "too many".
    pub(crate) fn returned(&mut self) {
        self.outstanding = self.outstanding.saturating_sub(1);
        self.blocked = false;
    }

    /// The server holds too many requests: lower the target to what it still holds.
    pub(crate) fn too_many(&mut self) {
        self.outstanding = self.outstanding.saturating_sub(1);
        self.target = self.outstanding.max(1);
        self.blocked = true;
    }

    /// Time has passed: a server that holds none and takes none is asked again.
    pub(crate) fn tick(&mut self) {
        self.blocked &= self.outstanding > 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_many_lowers_the_target_and_waits_for_another_return() {
        let mut pipeline = Pipeline::new(1);
        assert!(pipeline.send() && pipeline.send() && pipeline.send());
        assert!(!pipeline.send());
        pipeline.too_many();
        assert!(!pipeline.send(), "none until another one returned");
        pipeline.returned();
        assert_eq!(pipeline, Pipeline { target: 2, outstanding: 1, blocked: false });
        assert!(pipeline.send());
        assert!(!pipeline.send(), "the target is 2 now");
    }

    #[test]
    fn a_server_that_holds_one_request_is_still_served() {
        let mut pipeline = Pipeline::new(1);
        assert!(pipeline.send());
        pipeline.too_many();
        assert!(!pipeline.send(), "not at once: it would be asked without end");
        pipeline.tick();
        assert!(pipeline.send());
        assert!(!pipeline.send());
        pipeline.tick();
        assert!(!pipeline.send(), "it holds the one");
    }
}
