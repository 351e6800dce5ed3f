//! A hub on this machine, that is a hub as far as it is told to be.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

use sha1::Sha1;
use sha2::{Digest, Sha256};

pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
/// Files from this size on are large: kept elsewhere, and known by their SHA-256.
const LARGE: usize = 10_000;

/// A request, as far as anybody looks at it.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    /// Path, or the host that a proxy is asked for.
    pub target: String,
    pub range: Option<u64>,
    pub token: Option<String>,
}

impl Request {
    /// The file that is asked for, of the hub or of where large files are.
    pub fn file(&self) -> &str {
        self.target.rsplit('/').next().unwrap()
    }
}

/// An answer: a status, headers, and a body that may be shorter or longer than they say. Without a
/// status there are no headers either.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    /// Whether the connection stays open, and silent.
    pub hangs: bool,
}

impl Answer {
    pub fn status(status: u16) -> Answer {
        Answer { status, headers: vec![("content-length", "0".into())], ..Answer::default() }
    }

    pub fn with(mut self, name: &'static str, value: &str) -> Answer {
        self.headers.retain(|(other, _)| *other != name);
        self.headers.push((name, value.into()));
        self
    }

    pub fn without(mut self, name: &str) -> Answer {
        self.headers.retain(|(other, _)| *other != name);
        self
    }
}

/// What a test makes of an answer that a hub would give.
type Change = dyn Fn(&Request, Answer) -> Answer + Send + Sync;

pub struct Hub {
    pub address: String,
    state: Arc<State>,
}

struct State {
    address: String,
    /// Where large files are: another port, so another host.
    store: String,
    name: String,
    files: Mutex<BTreeMap<String, Vec<u8>>>,
    log: Mutex<Vec<Request>>,
    change: Mutex<Arc<Change>>,
}

impl Hub {
    /// Has the files of a directory, under a name, at `main` and [`COMMIT`].
    pub fn start(name: &str, directory: &Path) -> Hub {
        let [hub, store] = [(), ()].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let of = |listener: &TcpListener| format!("http://{}", listener.local_addr().unwrap());
        let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap());
        let files = entries
            .map(|entry| {
                (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap())
            })
            .collect();
        let state = Arc::new(State {
            address: of(&hub),
            store: of(&store),
            name: name.into(),
            files: Mutex::new(files),
            log: Mutex::default(),
            change: Mutex::new(Arc::new(|_, answer| answer)),
        });
        for (listener, is_store) in [(hub, false), (store, true)] {
            let state = Arc::clone(&state);
            thread::spawn(move || {
                for stream in listener.incoming() {
                    let state = Arc::clone(&state);
                    thread::spawn(move || state.serve(stream.unwrap(), is_store));
                }
            });
        }
        Hub { address: state.address.clone(), state }
    }

    /// From now on every answer is changed so.
    pub fn change(&self, change: impl Fn(&Request, Answer) -> Answer + Send + Sync + 'static) {
        *self.state.change.lock().unwrap() = Arc::new(change);
    }

    /// From now on it is a hub as others are.
    pub fn mend(&self) {
        self.change(|_, answer| answer);
    }

    pub fn put(&self, file: &str, bytes: &[u8]) {
        self.state.files.lock().unwrap().insert(file.into(), bytes.into());
    }

    pub fn remove(&self, file: &str) {
        self.state.files.lock().unwrap().remove(file);
    }

    /// What was asked since the last time.
    pub fn log(&self) -> Vec<Request> {
        std::mem::take(&mut self.state.log.lock().unwrap())
    }
}

impl State {
    /// Requests of one connection, until it ends. What goes wrong here the other side sees.
    fn serve(&self, stream: TcpStream, is_store: bool) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        while let Some(request) = read(&mut reader) {
            self.log.lock().unwrap().push(request.clone());
            if request.method == "CONNECT" {
                // As a proxy it has one way, to itself.
                (&stream).write_all(b"HTTP/1.1 200 x\r\n\r\n").unwrap();
                continue;
            }
            let answer = match is_store {
                true => self.stored(&request),
                false => self.answer(&request),
            };
            let change = Arc::clone(&self.change.lock().unwrap());
            let answer = change(&request, answer);
            let mut head = format!("HTTP/1.1 {} x\r\n", answer.status);
            answer.headers.iter().for_each(|(name, value)| head += &format!("{name}: {value}\r\n"));
            head += "\r\n";
            let body = if request.method == "HEAD" { &[] } else { &answer.body[..] };
            if (&stream)
                .write_all(head.as_bytes())
                .and_then(|()| (&stream).write_all(body))
                .is_err()
            {
                return;
            }
            if answer.hangs {
                // Until the other side has had enough.
                let _ = reader.read(&mut [0]);
                return;
            }
            let length = answer.headers.iter().find(|(name, _)| *name == "content-length");
            let whole = length.is_some_and(|(_, length)| *length == body.len().to_string());
            if request.method != "HEAD" && !whole {
                return;
            }
        }
    }

    fn answer(&self, request: &Request) -> Answer {
        let Some(rest) = request.target.strip_prefix(&format!("/{}/resolve/", self.name)) else {
            return Answer::status(404).with("x-error-code", "RepoNotFound");
        };
        let (revision, file) = rest.split_once('/').unwrap();
        if revision != "main" && revision != COMMIT && revision != "refs%2Fpr%2F1" {
            return Answer::status(404).with("x-error-code", "RevisionNotFound");
        }
        let files = self.files.lock().unwrap();
        let Some(bytes) = files.get(file) else {
            return Answer::status(404).with("x-error-code", "EntryNotFound");
        };
        if bytes.len() < LARGE {
            let etag = format!("\"{}\"", git(bytes));
            return part(bytes, request.range).with("etag", &etag).with("x-repo-commit", COMMIT);
        }
        Answer::status(302)
            .with("location", &format!("{}/{file}", self.store))
            .with("x-linked-etag", &format!("\"{}\"", sha256(bytes)))
            .with("x-linked-size", &bytes.len().to_string())
            .with("x-repo-commit", COMMIT)
    }

    fn stored(&self, request: &Request) -> Answer {
        match self.files.lock().unwrap().get(request.file()) {
            Some(bytes) => part(bytes, request.range).with("etag", "\"of the store\""),
            None => Answer::status(404),
        }
    }
}

/// A file, or what is left of it.
fn part(bytes: &[u8], range: Option<u64>) -> Answer {
    let length = bytes.len();
    let Some(from) = range.map(|from| from as usize) else {
        let answer = Answer { status: 200, body: bytes.into(), ..Answer::default() };
        return answer.with("content-length", &length.to_string());
    };
    if from >= length {
        return Answer::status(416);
    }
    let answer = Answer { status: 206, body: bytes[from..].into(), ..Answer::default() };
    answer
        .with("content-range", &format!("bytes {from}-{}/{length}", length - 1))
        .with("content-length", &(length - from).to_string())
}

fn read(reader: &mut impl BufRead) -> Option<Request> {
    let mut line = || {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|&n| n > 0)?;
        Some(line.trim_end().to_owned())
    };
    let first = line()?;
    let mut words = first.split(' ');
    let mut request = Request {
        method: words.next()?.into(),
        target: words.next()?.into(),
        range: None,
        token: None,
    };
    loop {
        let line = line()?;
        let Some((name, value)) = line.split_once(": ") else { return Some(request) };
        match name.to_lowercase().as_str() {
            "range" => {
                let from = value.strip_prefix("bytes=")?.strip_suffix('-')?;
                request.range = Some(from.parse().ok()?);
            }
            "authorization" => request.token = Some(value.into()),
            _ => {}
        }
    }
}

pub fn sha256(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

/// What `git hash-object` says.
pub fn git(bytes: &[u8]) -> String {
    let mut digest = Sha1::new_with_prefix(format!("blob {}\0", bytes.len()));
    digest.update(bytes);
    hexadecimal(&digest.finalize())
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
