//! A person who follows an approval link in a browser.

use crate::cloud_run::ask;

/// The key that links are signed with here.
pub const KEY: &str = "a key of thirty-two bytes or more";

/// Where links lead, as far as notices say; whoever follows one here goes to the server itself.
pub const URL: &str = "https://approve.onus.example/";

/// Opens a link on a server, sends the form of its page, and then sends it again, as a double click does.
///
/// # Panics
/// The page does not ask, the form is not taken, or it is taken twice.
pub fn follow(server: &str, link: &str) {
    let query = link.strip_prefix(URL).unwrap_or_else(|| panic!("{link} does not lead to {URL}"));
    let path = format!("/approve{query}");
    let page = ask(server, "GET", &path, &[], "");
    assert!(page.status == 200 && page.body.contains("Approve this response?"), "{page:?}");
    let form = format!("{}&by=carol", query.trim_start_matches('?'));
    let kind =
        [("Content-Type", "application/x-www-form-urlencoded"), ("X-Forwarded-For", "198.51.100.1, 203.0.113.7")];
    let send = |form: &str| ask(server, "POST", "/approve", &kind, form);
    let (forged, taken, again) = (send(&form.replacen("v1.approve", "v1.deny", 1)), send(&form), send(&form));
    assert_eq!((forged.status, taken.status, again.status), (403, 200, 409), "{forged:?} {taken:?} {again:?}");
}
