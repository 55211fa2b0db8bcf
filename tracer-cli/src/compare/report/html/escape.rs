//! Texts of others in a page.

/// For an element's content and for an attribute in double quotes.
pub(super) fn escaped(text: &str) -> String {
    // Control characters have no meaning in a page.
    let printable: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    quick_xml::escape::escape(printable).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_of_others_is_text() {
        assert_eq!(escaped("<b a=\"1\">&'\x1b[1m"), "&lt;b a=&quot;1&quot;&gt;&amp;&apos; [1m");
    }
}
