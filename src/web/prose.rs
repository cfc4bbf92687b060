//! Plain text to HTML: escaped, with the addresses we know made into links.
//!
//! An address becomes a link only when its site stands in the corpus' own table of sources and
//! portals, an e-mail only when a programme gives it as a contact. A text can thus never bring a link of its own.

use std::collections::HashSet;

use crate::corpus::Corpus;

/// The sites and e-mail addresses that may be linked.
#[derive(Debug, Default)]
pub(super) struct Links {
    hosts: HashSet<String>,
    emails: HashSet<String>,
}

impl Links {
    /// Those of a corpus.
    pub(super) fn of(corpus: &Corpus) -> Self {
        let sources = corpus.sources.iter();
        let addresses = sources.flat_map(|s| {
            s.sections
                .iter()
                .filter_map(|x| x.url.as_deref())
                .chain(s.url.as_deref())
        });
        let portals = corpus.programmes.iter().filter_map(|p| p.portal.as_deref());
        let contacts = corpus.programmes.iter().flat_map(|p| &p.contacts);
        Self {
            hosts: addresses
                .chain(portals)
                .filter_map(host)
                .map(str::to_owned)
                .collect(),
            emails: contacts
                .flat_map(|c| c.emails.iter().flatten())
                .map(|e| e.to_lowercase())
                .collect(),
        }
    }

    /// The text as HTML.
    pub(super) fn html(&self, text: &str) -> String {
        let text = typeset(text);
        let mut out = String::with_capacity(text.len() + text.len() / 8);
        for (i, word) in text.split(' ').enumerate() {
            if i > 0 {
                out.push(' ');
            }
            let inner = word.trim_matches([
                '.', ',', ';', ':', '(', ')', '«', '»', '?', '!', '\u{a0}', '\u{202f}',
            ]);
            let href = if host(inner).is_some_and(|h| self.hosts.contains(h)) {
                Some(inner.to_owned())
            } else if self.hosts.contains(inner) {
                Some(format!("https://{inner}"))
            } else if self.emails.contains(&inner.to_lowercase()) {
                Some(format!("mailto:{}", inner.to_lowercase()))
            } else {
                None
            };
            match href.and_then(|href| Some((href, word.split_once(inner)?))) {
                Some((href, (before, after))) => {
                    escape(before, &mut out);
                    out.push_str("<a href=\"");
                    escape(&href, &mut out);
                    out.push_str("\" rel=\"noopener\">");
                    escape(
                        inner
                            .strip_prefix("https://")
                            .unwrap_or(inner)
                            .trim_end_matches('/'),
                        &mut out,
                    );
                    out.push_str("</a>");
                    escape(after, &mut out);
                }
                None => escape(word, &mut out),
            }
        }
        out
    }
}

/// A value of the settings as HTML: escaped, its lines kept; an e-mail or an https address that stands
/// alone on a line becomes a link.
pub(super) fn operator_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 64);
    for (i, line) in text.lines().map(str::trim).enumerate() {
        if i > 0 {
            out.push_str("<br>");
        }
        let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '<' | '>' | '"' | '\'');
        let alone = !line.is_empty() && line.chars().all(plain);
        let email = line.split_once('@').is_some_and(|(name, domain)| {
            !name.is_empty() && domain.contains('.') && !domain.contains('@')
        });
        let scheme = match (alone, email) {
            (true, _) if host(line).is_some() => "",
            (true, true) => "mailto:",
            _ => {
                escape(line, &mut out);
                continue;
            }
        };
        out.push_str("<a href=\"");
        out.push_str(scheme);
        escape(line, &mut out);
        out.push_str("\" rel=\"noopener\">");
        escape(line, &mut out);
        out.push_str("</a>");
    }
    out
}

/// The spaces that French does not break at: before high punctuation and units, inside quotation
/// marks, between groups of figures.
pub(super) fn typeset(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut before = ' ';
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        let mut after = rest.clone();
        let (next, then) = (after.next(), after.next());
        let mark = matches!(next, Some('?' | '!' | ';' | ':' | '»' | '€' | '%'))
            && !then.is_some_and(char::is_alphanumeric);
        let group = before.is_ascii_digit()
            && rest.clone().take(3).filter(char::is_ascii_digit).count() == 3;
        let bound = c == ' ' && (mark || group || before == '«');
        out.push(if bound { '\u{a0}' } else { c });
        before = c;
    }
    out
}

/// The host of an https address.
fn host(address: &str) -> Option<&str> {
    let rest = address.strip_prefix("https://")?;
    let host = rest.split(['/', '?', '#']).next()?;
    let plain = host
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-');
    (plain && !host.is_empty()).then_some(host)
}

fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
}

/// A day or a month of a record as French writes it; as it stands when it is neither.
pub(super) fn spelled_date(iso: &str) -> String {
    use crate::text::language::Language;
    let mut parts = iso.splitn(3, '-').map(str::parse::<i16>);
    let (Some(Ok(year)), Some(Ok(month))) = (parts.next(), parts.next()) else {
        return iso.to_owned();
    };
    let day = match parts.next() {
        None => None,
        Some(Ok(day)) => Some(day),
        Some(Err(_)) => return iso.to_owned(),
    };
    let date = i8::try_from(month)
        .ok()
        .zip(i8::try_from(day.unwrap_or(1)).ok());
    let Some(date) = date.and_then(|(m, d)| jiff::civil::Date::new(year, m, d).ok()) else {
        return iso.to_owned();
    };
    let spelled = crate::corpus::Day(date).spelled(Language::Fr);
    match day {
        Some(_) => spelled,
        None => spelled
            .split_once(' ')
            .map_or(spelled.clone(), |(_, month)| month.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links() -> Links {
        Links {
            hosts: ["subventions.normandie.fr".to_owned()].into(),
            emails: ["alexis.gallet@normandie.fr".to_owned()].into(),
        }
    }

    #[test]
    fn spaces_are_bound_where_french_does_not_break() {
        assert_eq!(
            typeset("Combien ? « 12 500 € » : 50 % en 2026, 3 jours"),
            "Combien\u{a0}? «\u{a0}12\u{a0}500\u{a0}€\u{a0}»\u{a0}: 50\u{a0}% en 2026, 3 jours"
        );
    }

    #[test]
    fn only_known_addresses_become_links() {
        let html = links()
            .html("Voyez (https://subventions.normandie.fr/), ou Alexis.Gallet@normandie.fr.");
        assert_eq!(
            html,
            "Voyez (<a href=\"https://subventions.normandie.fr/\" rel=\"noopener\">subventions.normandie.fr</a>), ou \
             <a href=\"mailto:alexis.gallet@normandie.fr\" rel=\"noopener\">Alexis.Gallet@normandie.fr</a>."
        );
        for foreign in [
            "https://exemple.org/",
            "http://subventions.normandie.fr",
            "https://subventions.normandie.fr@x.org/",
            "a@b.fr",
        ] {
            assert!(!links().html(foreign).contains("<a"), "{foreign}");
        }
    }

    #[test]
    fn a_known_site_named_without_its_scheme_becomes_a_link_too() {
        let html = links().html("Le site est subventions.normandie.fr. Rien sur normandie.fr.");
        assert_eq!(
            html,
            "Le site est <a href=\"https://subventions.normandie.fr\" rel=\"noopener\">subventions.normandie.fr</a>. \
             Rien sur normandie.fr."
        );
    }

    #[test]
    fn markup_is_shown_never_obeyed() {
        let html = links()
            .html("<script>alert('x')</script> & \"https://subventions.normandie.fr\"onclick=");
        assert!(!html.contains("<script") && !html.contains("<a"), "{html}");
        assert!(
            html.starts_with("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; &quot;"),
            "{html}"
        );
    }

    #[test]
    fn what_the_operator_gives_is_escaped_and_only_whole_addresses_are_linked() {
        assert_eq!(
            operator_html("dpo@exemple.fr"),
            "<a href=\"mailto:dpo@exemple.fr\" rel=\"noopener\">dpo@exemple.fr</a>"
        );
        assert_eq!(
            operator_html("1 rue <b>\n14000 Caen\nhttps://exemple.fr/a?b&c"),
            "1 rue &lt;b&gt;<br>14000 Caen<br><a href=\"https://exemple.fr/a?b&amp;c\" rel=\"noopener\">\
             https://exemple.fr/a?b&amp;c</a>"
        );
        for plain in [
            "javascript:alert(1)",
            "http://exemple.fr",
            "@",
            "écrire à a@b.fr",
            "https://",
        ] {
            assert!(!operator_html(plain).contains("<a"), "{plain}");
        }
    }

    #[test]
    fn dates_are_spelled_as_far_as_they_go() {
        assert_eq!(spelled_date("2025-12-23"), "23 décembre 2025");
        assert_eq!(spelled_date("2022-04"), "avril 2022");
        assert_eq!(spelled_date("2022"), "2022");
        assert_eq!(spelled_date("2022-13-01"), "2022-13-01");
        assert_eq!(spelled_date("au fil de l’eau"), "au fil de l’eau");
    }
}
