//! A server that a test starts, and what it asks of it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// `sterna serve` with the tiny demo, on any free port of this machine.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
    pub greeting: String,
    error: Option<ChildStderr>,
}

impl Server {
    /// Starts it in a folder with the model, which it calls `tiny`.
    pub fn start(folder: &Path, more: &[&str]) -> Server {
        let file = super::models::tiny(folder);
        Server::with(
            folder,
            &[&["--device", "golden", file.to_str().unwrap()], more].concat(),
            None,
        )
    }

    /// Starts it with these arguments.
    pub fn with(folder: &Path, args: &[&str], key: Option<&str>) -> Server {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sterna"));
        command.args(["serve", "--bind", "127.0.0.1:0"]).args(args).current_dir(folder);
        command.env_remove("STERNA_KEY");
        if let Some(key) = key {
            command.env("STERNA_KEY", key);
        }
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        let mut greeting = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut greeting).unwrap();
        let mut error = child.stderr.take();
        let address = greeting.strip_prefix("http://").and_then(|rest| rest.split(": ").next());
        let Some(address) = address.and_then(|address| address.parse().ok()) else {
            let mut text = String::new();
            error.take().unwrap().read_to_string(&mut text).unwrap();
            panic!("no address: {greeting:?}, {text}");
        };
        Server { child, address, greeting, error }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Status and JSON of a question.
    pub fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let mut response = agent().post(self.url(path)).send_json(body).unwrap();
        (response.status().as_u16(), response.body_mut().read_json().unwrap())
    }

    /// The answer to a question that has one.
    pub fn ask(&self, path: &str, body: &Value) -> Value {
        let (status, value) = self.post(path, body);
        assert_eq!(status, 200, "{body}: {value}");
        value
    }

    /// A completion of the tiny demo.
    pub fn complete(&self, prompt: &str, count: usize, seed: Option<u64>) -> Value {
        self.ask("/v1/completions", &completion(prompt, count, seed))
    }

    /// Every object of a stream; it has to end well.
    pub fn stream(&self, path: &str, body: &Value) -> Vec<Value> {
        let mut body = body.clone();
        body["stream"] = json!(true);
        let response = agent().post(self.url(path)).send_json(&body).unwrap();
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let lines = BufReader::new(response.into_body().into_reader()).lines();
        let mut data: Vec<String> = lines
            .map(Result::unwrap)
            .filter_map(|line| line.strip_prefix("data: ").map(str::to_string))
            .collect();
        assert_eq!(data.pop().as_deref(), Some("[DONE]"));
        data.iter().map(|object| serde_json::from_str(object).unwrap()).collect()
    }

    /// What a path says.
    pub fn get(&self, path: &str) -> (u16, String) {
        let mut response = agent().get(self.url(path)).call().unwrap();
        (response.status().as_u16(), response.body_mut().read_to_string().unwrap())
    }

    pub fn json(&self, path: &str) -> Value {
        serde_json::from_str(&self.get(path).1).unwrap()
    }

    /// What a line of the metrics says.
    pub fn metric(&self, name: &str) -> f64 {
        let text = self.get("/metrics").1;
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map_or(0.0, |value| value.parse().unwrap())
    }

    /// The bytes that come back for bytes.
    pub fn raw(&self, bytes: &[u8]) -> Vec<u8> {
        self.send(bytes, false)
    }

    /// The same for bytes after which nothing comes.
    pub fn last(&self, bytes: &[u8]) -> Vec<u8> {
        self.send(bytes, true)
    }

    fn send(&self, bytes: &[u8], last: bool) -> Vec<u8> {
        let mut stream = self.connect();
        // A server that has seen enough closes.
        let _ = stream.write_all(bytes);
        if last {
            let _ = stream.shutdown(std::net::Shutdown::Write);
        }
        let mut back = vec![];
        let _ = stream.read_to_end(&mut back);
        back
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream
    }

    /// Sends `TERM` or `INT`.
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> ExitStatus {
        let begin = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(begin.elapsed() < Duration::from_secs(60), "it does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// All that it said to standard error, once it has ended.
    pub fn error(&mut self) -> String {
        let mut text = String::new();
        self.error.take().unwrap().read_to_string(&mut text).unwrap();
        text
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder().http_status_as_error(false);
    config.timeout_global(Some(Duration::from_secs(120))).build().into()
}

/// What is asked for a completion, greedy or with a seed.
pub fn completion(prompt: &str, count: usize, seed: Option<u64>) -> Value {
    json!({
        "model": "tiny",
        "prompt": prompt,
        "max_tokens": count,
        "temperature": if seed.is_some() { 0.8 } else { 0.0 },
        "seed": seed.unwrap_or(0),
    })
}

/// The text of a completion.
pub fn text(of: &Value) -> &str {
    of["choices"][0]["text"].as_str().unwrap()
}
