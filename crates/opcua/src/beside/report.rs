//! The report of a connection: what supervision, flow and server say, put together.
//!
//! Plain data in, plain data out; [`crate::beside`] tells it at every change that matters and every few
//! seconds.

use crate::beside::pulse::Diagnostics;
use crate::pki::{Cert, CertificateInfo};
use lineside_model::report::{FlowReport, LimitReport, LinkReport, MemberReport, SubscriptionReport};
use lineside_model::{Span, Text, Timestamp};

/// What the parts of a connection say of themselves.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sources {
    pub(crate) link: LinkFacts,
    pub(crate) subscriptions: Vec<SubscriptionReport>,
    pub(crate) limits: Vec<LimitReport>,
    pub(crate) members: Vec<MemberReport>,
    pub(crate) diagnostics: Diagnostics,
    pub(crate) flow: FlowReport,
}

/// What is known of a link since it was made.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct LinkFacts {
    pub(crate) endpoint: Text,
    /// `Basic256Sha256/SignAndEncrypt`.
    pub(crate) security: Text,
    pub(crate) user: Text,
    pub(crate) certificate: Certificate,
    pub(crate) own_certificate: Certificate,
}

/// Of a certificate, what a person compares and waits for.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Certificate {
    /// SHA-1 in hex; empty without a certificate.
    pub(crate) thumbprint: Text,
    pub(crate) expires: Option<Timestamp>,
}

impl Certificate {
    /// The first of a server's chain; nothing where that cannot be read.
    pub(crate) fn from_chain(der: &[u8]) -> Certificate {
        let chain = if der.is_empty() { Ok(Vec::new()) } else { Cert::parse_chain(der) };
        let first = chain.ok().and_then(|chain| chain.into_iter().next());
        first.map_or_else(Certificate::default, |cert| Certificate::of(&cert.info(None)))
    }

    pub(crate) fn of(info: &CertificateInfo) -> Certificate {
        Certificate { thumbprint: info.thumbprint.as_str().into(), expires: Some(info.not_after) }
    }
}

impl Sources {
    /// The report, without what is measured.
    pub(crate) fn report(&self) -> LinkReport {
        let link = self.link.clone();
        LinkReport {
            endpoint: link.endpoint,
            security: link.security,
            user: link.user,
            certificate: link.certificate.thumbprint,
            certificate_expires: link.certificate.expires,
            own_certificate_expires: link.own_certificate.expires,
            session_timeout: self.diagnostics.session_timeout.unwrap_or(Span::ZERO),
            members: self.members.clone(),
            subscriptions: self.subscriptions.clone(),
            limits: self.limits.clone(),
            diagnostics: self.diagnostics.rows.clone(),
            flow: self.flow.clone(),
            ..LinkReport::default()
        }
    }
}
