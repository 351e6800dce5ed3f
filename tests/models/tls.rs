//! Whom `sterna pull` believes to be the hub.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::desk::Desk;

/// A root that signed for `localhost`, both for a hundred years, and only here.
fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/models/tls").join(name)
}

/// A hub as `localhost`, encrypted, that has no model. Returns its port.
fn serve() -> u16 {
    let chain = vec![CertificateDer::from_pem_file(file("server.pem")).unwrap()];
    let key = PrivateKeyDer::from_pem_file(file("server.key")).unwrap();
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key);
    let config = Arc::new(config.unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = BufReader::new(StreamOwned::new(connection, stream.unwrap()));
            let mut line = String::new();
            // Of whoever does not believe, nothing comes.
            while stream.read_line(&mut line).is_ok_and(|read| read > 2) {
                line.clear();
            }
            let answer =
                "HTTP/1.1 404 x\r\nx-error-code: RepoNotFound\r\ncontent-length: 0\r\n\r\n";
            let _ = stream.get_mut().write_all(answer.as_bytes());
        }
    });
    port
}

#[test]
fn only_who_has_a_certificate_is_the_hub() {
    let desk = Desk::new();
    let port = serve();
    std::fs::write(desk.path("none.pem"), "nothing").unwrap();
    let root = file("ca.pem").display().to_string();
    let mut messages = String::new();
    for (name, host, roots) in [
        ("a root that is known", "localhost", Some(&root[..])),
        ("another host's certificate", "127.0.0.1", Some(&root[..])),
        ("a root that nobody knows", "localhost", None),
        ("no roots", "localhost", Some("none.pem")),
        ("no file of roots", "localhost", Some("missing.pem")),
    ] {
        let mut command = desk.command(&["pull", "ridger/Tiny"]);
        command.env("HF_ENDPOINT", format!("https://{host}:{port}"));
        command.envs(roots.map(|roots| ("SSL_CERT_FILE", roots)));
        let error = String::from_utf8(command.output().unwrap().stderr).unwrap();
        let error = error.replace(&format!(":{port}"), "");
        writeln!(messages, "{name}\n  {}", error.trim_end()).unwrap();
    }
    insta::assert_snapshot!(messages);
}
