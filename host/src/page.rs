//! Pages for a browser, each in one file without anything from outside.

use std::fmt::Write as _;

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;margin:0;background:#fff;color:#1a1a1a}\
main{max-width:58rem;margin:2rem auto;padding:0 1rem}h1{margin:0}h2{margin:2rem 0 .5rem;font-size:1.1rem}\
table{border-collapse:collapse;width:100%}td{padding:.2rem .6rem .2rem 0;vertical-align:top;\
border-bottom:1px solid #e4e4e4;overflow-wrap:anywhere}td:first-child{width:16rem}\
@media(prefers-color-scheme:dark){body{background:#16181c;color:#e4e4e4}td{border-color:#333}}";

/// A whole page: its title, its own style after the common one, its body.
pub fn page(title: &str, style: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>\
         <title>{} · Sterna</title><meta name=\"viewport\" content=\"width=device-width\"/>\
         <style>{STYLE}{style}</style></head><body><main>{body}</main></body></html>\n",
        escape(title)
    )
}

/// Text as a page has it.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A row of a table: a name and what it is.
pub fn row(body: &mut String, name: &str, value: &str) {
    let _ = write!(body, "<tr><td>{}</td><td>{}</td></tr>", escape(name), escape(value));
}
