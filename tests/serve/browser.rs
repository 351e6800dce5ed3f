//! The page in a browser, by the protocol that drives one (WebDriver).

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sterna_firmware::model::Model;

use crate::client::{Server, agent};
use crate::models::Reference;

/// A browser without a window.
struct Browser {
    driver: Child,
    session: String,
}

impl Browser {
    fn start() -> Browser {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .spawn()
            .expect("chromedriver comes with scripts/setup --long");
        let lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = lines.map(Result::unwrap).find_map(|line| {
            let port = line.split("started successfully on port ").nth(1)?;
            Some(port.trim_end_matches('.').to_string())
        });
        let base = format!("http://127.0.0.1:{}/session", port.expect("it tells its port"));
        let wanted = json!({ "capabilities": { "alwaysMatch": { "goog:chromeOptions": { "args": [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=980,1080",
        ]}}}});
        let mut answer = agent().post(&base).send_json(&wanted).unwrap();
        let answer: Value = answer.body_mut().read_json().unwrap();
        let id = answer["value"]["sessionId"].as_str().unwrap_or_else(|| panic!("{answer}"));
        Browser { session: format!("{base}/{id}"), driver }
    }

    fn post(&self, command: &str, of: Value) -> Value {
        let mut answer =
            agent().post(format!("{}/{command}", self.session)).send_json(&of).unwrap();
        let answer: Value = answer.body_mut().read_json().unwrap();
        assert!(answer["value"]["error"].is_null(), "{command}: {answer}");
        answer["value"].clone()
    }

    fn go(&self, url: &str) {
        self.post("url", json!({ "url": url }));
    }

    /// What a script returns.
    fn run(&self, script: &str) -> Value {
        self.post("execute/sync", json!({ "script": format!("return {script}"), "args": [] }))
    }

    fn element(&self, id: &str) -> String {
        let found =
            self.post("element", json!({ "using": "css selector", "value": format!("#{id}") }));
        found.as_object().unwrap().values().next().unwrap().as_str().unwrap().to_string()
    }

    fn click(&self, id: &str) {
        self.post(&format!("element/{}/click", self.element(id)), json!({}));
    }

    fn write(&self, id: &str, text: &str) {
        let element = self.element(id);
        self.post(&format!("element/{element}/clear"), json!({}));
        self.post(&format!("element/{element}/value"), json!({ "text": text }));
    }

    fn text(&self, id: &str) -> String {
        let text = self.run(&format!("document.getElementById('{id}').textContent"));
        text.as_str().unwrap().to_string()
    }

    fn until(&self, what: &str, of: impl Fn(&Browser) -> bool) {
        let begin = Instant::now();
        while !of(self) {
            assert!(begin.elapsed() < Duration::from_secs(120), "never: {what}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The screen as a PNG.
    fn screen(&self) -> Vec<u8> {
        let mut answer = agent().get(format!("{}/screenshot", self.session)).call().unwrap();
        let answer: Value = answer.body_mut().read_json().unwrap();
        base64(answer["value"].as_str().unwrap())
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = agent().delete(&self.session).call();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

fn base64(text: &str) -> Vec<u8> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = text.bytes().filter_map(|byte| DIGITS.iter().position(|&digit| digit == byte));
    let (mut bytes, mut bits, mut held) = (vec![], 0, 0usize);
    for digit in digits {
        (held, bits) = (held << 6 | digit, bits + 6);
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits) as u8);
        }
    }
    bytes
}

#[test]
fn base64_is_read() {
    assert_eq!(base64("aGVsbG8="), b"hello");
    assert_eq!(base64("/+8A"), [255, 239, 0]);
}

/// `UPDATE_DOCS=1` keeps the screen as docs/serve.png.
#[test]
#[ignore = "needs Chromium: scripts/setup --long"]
fn the_page_answers_and_shows_what_it_takes() {
    let folder = tempfile::tempdir().unwrap();
    let file = crate::models::tiny(folder.path());
    let file = file.to_str().unwrap();
    let args =
        [file, "--device", "sim", "--sim-batch", "2", "--sim-bus", "64", "--meter", "activity"];
    let server = Server::with(folder.path(), &args, None);
    let mut golden = Reference::new(&Model::open(Path::new(file)).unwrap());
    let browser = Browser::start();
    browser.go(&server.url("/"));
    browser.until("it knows the model", |browser| browser.text("what").contains("tiny on sim, 2"));

    // A text, greedily.
    browser.write("heat", "0");
    browser.write("most", "60");
    browser.write("prompt", "ROMEO:");
    browser.click("go");
    browser.until("pieces come", |browser| browser.text("talk").len() > "ROMEO:".len() + 5);
    browser.until("it ends", |browser| browser.text("took").contains("ended by length"));
    let wanted = golden.text("ROMEO:", 60, None);
    assert_eq!(browser.text("talk"), format!("ROMEO:{wanted}"));
    assert!(browser.text("took").starts_with("60 tokens in "), "{}", browser.text("took"));

    // What it took.
    browser.until("watts", |browser| browser.text("watts") != "–");
    assert_eq!(browser.text("watts-name"), "watts, model, not measurement");
    browser.until("the clocks", |browser| browser.text("legend").contains("beats "));

    // A conversation, which is stopped, and goes on.
    browser.click("clear");
    browser.run("document.getElementById('mode').value = 'chat'");
    browser.write("prompt", "What is love?");
    browser.write("most", "4000");
    browser.click("go");
    browser.until("pieces come", |browser| browser.text("talk").len() > 60);
    browser.click("stop");
    browser.until("it stopped", |browser| browser.text("took") == "stopped");
    browser.until("the slot is free", |_| server.metric("sterna_running") == 0.0);
    browser.write("prompt", "And hate?");
    browser.write("most", "90");
    browser.click("go");
    browser.until("it ends", |browser| browser.text("took").contains("ended by"));
    assert_eq!(browser.text("talk").matches("sterna ").count(), 2);
    assert_eq!(browser.text("trouble"), "");
    let screen = browser.screen();
    assert!(screen.starts_with(b"\x89PNG") && screen.len() > 10_000);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(crate::docs("serve.png"), screen).unwrap();
    }

    // What is refused is told.
    browser.write("most", "99999");
    browser.write("prompt", "x");
    browser.run("document.getElementById('most').removeAttribute('max')");
    browser.click("go");
    browser.until("the reason", |browser| browser.text("trouble").contains("between 1 and 4096"));
}
