//! Where requests go: one origin, and nothing that an answer says can change it.

use std::net::IpAddr;

use reqwest::Url;

use crate::operations::{Operation, ResourceId};

/// The public cloud's Resource Manager.
pub const PUBLIC: &str = "https://management.azure.com";

/// Why a text is no endpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no Resource Manager endpoint: {problem}", url.escape_debug())]
pub struct BadEndpoint {
    url: String,
    problem: &'static str,
}

/// The origin of a Resource Manager: the public cloud's, a sovereign cloud's, or one on this machine for tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    base: Url,
    is_local: bool,
}

impl Endpoint {
    /// Reads an endpoint, `https://management.azure.com` for instance. Plain http is taken for this machine alone (a loopback
    /// address or `localhost`): anywhere else it would send a token in the clear.
    ///
    /// # Errors
    /// It is no URL, has another scheme, or holds more than an origin.
    pub fn parse(text: &str) -> Result<Self, BadEndpoint> {
        let bad = |problem| BadEndpoint { url: text.to_owned(), problem };
        let base = Url::parse(text.trim()).map_err(|_| bad("it is not a URL"))?;
        let host = base.host_str().ok_or_else(|| bad("it has no host"))?;
        let is_local = host == "localhost"
            || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        match base.scheme() {
            "https" => {}
            "http" if is_local => {}
            "http" => return Err(bad("plain http is for this machine alone")),
            _ => return Err(bad("it is neither https nor http")),
        }
        if !base.username().is_empty() || base.password().is_some() {
            return Err(bad("it holds credentials"));
        }
        if !matches!(base.path(), "" | "/") || base.query().is_some() || base.fragment().is_some() {
            return Err(bad("it holds more than scheme, host and port"));
        }
        Ok(Self { base, is_local })
    }

    /// Whether it is on this machine.
    pub fn is_local(&self) -> bool {
        self.is_local
    }

    /// The scope that a token for it is asked for.
    pub fn scope(&self) -> String {
        let origin = if self.is_local { PUBLIC.to_owned() } else { self.base.origin().ascii_serialization() };
        format!("{origin}/.default")
    }

    /// The address of an operation on a resource.
    pub(super) fn url(&self, operation: &Operation, id: &ResourceId) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{}", id.path(), operation.below));
        url.query_pairs_mut().append_pair("api-version", operation.api_version());
        url
    }

    /// An address that an answer names: the next page, or where an operation is followed. `None` when it is not on this origin,
    /// because the token goes with the request.
    pub(super) fn follow(&self, link: &str) -> Option<Url> {
        let url = Url::parse(link).ok()?;
        let plain = url.username().is_empty() && url.password().is_none();
        (plain && url.origin() == self.base.origin()).then_some(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::operation;

    #[test]
    fn an_endpoint_is_an_origin_and_safe() {
        let good = [
            "https://management.azure.com",
            "https://management.usgovcloudapi.net/",
            "http://127.0.0.1:9000",
            "http://[::1]:9000",
            "http://localhost:9000",
        ];
        let bad = [
            "",
            "management.azure.com",
            "ftp://127.0.0.1",
            "http://management.azure.com",
            "http://10.0.0.1",
            "https://user:secret@management.azure.com",
            "https://management.azure.com/x",
            "https://management.azure.com?x",
            "http://127.0.0.1.example",
            "http://localhost.example",
        ];
        let refused: Vec<&str> = good.into_iter().filter(|text| Endpoint::parse(text).is_err()).collect();
        let taken: Vec<&str> = bad.into_iter().filter(|text| Endpoint::parse(text).is_ok()).collect();
        assert!(refused.is_empty() && taken.is_empty(), "refused {refused:?}, taken {taken:?}");
        assert_eq!(Endpoint::parse("http://[::1]:1").unwrap().scope(), "https://management.azure.com/.default");
        let sovereign = Endpoint::parse("https://management.usgovcloudapi.net/").unwrap();
        assert_eq!(sovereign.scope(), "https://management.usgovcloudapi.net/.default");
    }

    #[test]
    fn addresses_stay_on_the_origin() {
        let endpoint = Endpoint::parse(PUBLIC).unwrap();
        let id = ResourceId::parse("/subscriptions/1/resourceGroups/g/providers/Microsoft.Sql/servers/a b").unwrap();
        let list = operation("Microsoft.Sql", "FirewallRules_ListByServer").unwrap();
        assert_eq!(
            endpoint.url(list, &id).as_str(),
            "https://management.azure.com/subscriptions/1/resourceGroups/g/providers/Microsoft.Sql/servers/a%20b/firewallRules?api-version=2021-11-01"
        );
        let links = [
            ("https://management.azure.com/subscriptions/1/operations/2?api-version=1", true),
            ("https://management.azure.com:443/x", true),
            ("http://management.azure.com/x", false),
            ("https://management.azure.com.example/x", false),
            ("https://management.azure.com:8443/x", false),
            ("https://x@management.azure.com/x", false),
            ("//management.azure.com/x", false),
            ("/x", false),
        ];
        for (link, followed) in links {
            assert_eq!(endpoint.follow(link).is_some(), followed, "{link}");
        }
    }
}
