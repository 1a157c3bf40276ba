//! A browser, by the WebDriver protocol: JSON over HTTP, to a driver on this machine.

use serde_json::{Value, json};
use std::io::{self, BufRead, BufReader, Lines, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::{env, fs, process};

/// A running driver and one browser; both end when it is dropped.
pub struct Browser {
    driver: Child,
    port: u16,
    session: String,
    profile: PathBuf,
    /// Held open, so that the driver may go on writing.
    _output: Lines<BufReader<ChildStdout>>,
}

impl Browser {
    /// Starts a driver, on a port that it chooses, and a browser.
    pub fn start() -> Self {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver starts");
        let mut lines = BufReader::new(driver.stdout.take().expect("its output is piped")).lines();
        let port = loop {
            let line = lines
                .next()
                .expect("chromedriver says its port")
                .expect("in UTF-8");
            // "… was started successfully on port 1234."
            if !line.contains("successfully") {
                continue;
            }
            let word = line
                .rsplit_once("port ")
                .map(|(_, port)| port.trim_end_matches('.'));
            if let Some(port) = word.and_then(|word| word.parse().ok()) {
                break port;
            }
        };
        let profile = env::temp_dir().join(format!("chainrule-browser-{}", process::id()));
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            &format!("--user-data-dir={}", profile.display()),
        ];
        let mut browser = Self {
            driver,
            port,
            session: String::new(),
            profile: profile.clone(),
            _output: lines,
        };
        let options = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": { "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL" },
        }}});
        let made = browser.request("POST", "/session", &options);
        browser.session = made["sessionId"].as_str().expect("a session").to_owned();
        browser
    }

    fn request(&self, method: &str, path: &str, body: &Value) -> Value {
        let answer = self.send(method, path, body).expect("the driver answers");
        assert!(
            answer["value"]["error"].is_null(),
            "{path}: {}",
            answer["value"]
        );
        answer["value"].clone()
    }

    fn send(&self, method: &str, path: &str, body: &Value) -> io::Result<Value> {
        let body = body.to_string();
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )?;
        let mut reader = BufReader::new(stream);
        let mut length = 0;
        let mut line = String::new();
        while reader.read_line(&mut line)? > 2 {
            if let Some(("content-length", value)) = line.to_ascii_lowercase().split_once(':') {
                length = value.trim().parse().unwrap_or(0);
            }
            line.clear();
        }
        let mut answer = vec![0; length];
        reader.read_exact(&mut answer)?;
        Ok(serde_json::from_slice(&answer)?)
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        self.request("POST", &format!("/session/{}{path}", self.session), body)
    }

    pub fn open(&self, page: &Path, hash: &str) {
        // Another address first: a change of the hash alone loads nothing.
        self.post("/url", &json!({ "url": "about:blank" }));
        self.post(
            "/url",
            &json!({ "url": format!("file://{}{hash}", page.display()) }),
        );
    }

    /// Runs a program in the page, and returns what it returns.
    pub fn run(&self, program: &str) -> Value {
        self.post("/execute/sync", &json!({ "script": program, "args": [] }))
    }

    /// A command of Chromium's own protocol.
    pub fn command(&self, name: &str, parameters: &Value) -> Value {
        self.post(
            "/goog/cdp/execute",
            &json!({ "cmd": name, "params": parameters }),
        )
    }

    /// A window of this size, as a page sees it.
    pub fn resize(&self, width: u32, height: u32) {
        let size =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.command("Emulation.setDeviceMetricsOverride", &size);
    }

    /// What the system asks for: light or dark, motion or none, paper or a screen.
    pub fn prefer(&self, colours: &str, motion: &str, media: &str) {
        let features = json!([
            { "name": "prefers-color-scheme", "value": colours },
            { "name": "prefers-reduced-motion", "value": motion },
        ]);
        let media = json!({ "media": media, "features": features });
        self.command("Emulation.setEmulatedMedia", &media);
    }

    /// Presses keys one after another; special ones by their code points.
    pub fn press(&self, keys: &[char]) {
        let key = |key: &char| [("keyDown", *key), ("keyUp", *key)];
        let actions = keys.iter().flat_map(key);
        let actions: Vec<Value> = actions
            .map(|(kind, key)| json!({ "type": kind, "value": key.to_string() }))
            .collect();
        let actions = json!({ "actions": [{ "type": "key", "id": "keys", "actions": actions }] });
        self.post("/actions", &actions);
    }

    /// What the page said in the console since the last call: errors and warnings.
    pub fn console(&self) -> Vec<String> {
        let said = self.post("/se/log", &json!({ "type": "browser" }));
        let lines = said.as_array().expect("a list").iter();
        lines.map(|line| line["message"].to_string()).collect()
    }

    pub fn screenshot(&self, path: &Path) {
        let taken = self.command(
            "Page.captureScreenshot",
            &json!({ "captureBeyondViewport": true }),
        );
        fs::write(path, decoded(taken["data"].as_str().expect("a picture"))).expect("written");
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Also after a failure, so that no browser stays behind.
        let _ = self.send("DELETE", &format!("/session/{}", self.session), &json!({}));
        let _ = self.driver.kill();
        let _ = self.driver.wait();
        let _ = fs::remove_dir_all(&self.profile);
    }
}

/// The bytes that a text in base 64 stands for.
fn decoded(text: &str) -> Vec<u8> {
    let value = |c: u8| match c {
        b'A'..=b'Z' => c - b'A',
        b'a'..=b'z' => c - b'a' + 26,
        b'0'..=b'9' => c - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let digits: Vec<u8> = text.bytes().filter(|c| *c != b'=').map(value).collect();
    let mut bytes = Vec::with_capacity(digits.len() * 3 / 4);
    for group in digits.chunks(4) {
        let bits = group
            .iter()
            .fold(0_u32, |bits, digit| bits << 6 | u32::from(*digit));
        let bits = bits << (6 * (4 - group.len()));
        bytes.extend(&bits.to_be_bytes()[1..group.len()]);
    }
    bytes
}
