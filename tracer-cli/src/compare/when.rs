//! When a service is ready.

use std::time::Duration;

use crate::cli::parse_period;

/// What to wait for.
#[derive(Clone, Debug)]
pub enum When {
    /// This URL (`http://host[:port]/path`) answers with a status below 400.
    Answers(String),
    /// A line of its stdout or stderr matches.
    Says(regex_lite::Regex),
    /// This time has passed.
    After(Duration),
}

impl When {
    /// A URL, a duration or a regular expression.
    ///
    /// # Errors
    /// If it is none of them.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some(rest) = text.strip_prefix("http://") {
            return match rest.starts_with(['/', ':', '?', '#']) || rest.is_empty() {
                true => Err("there is no host in it\nhint: write http://127.0.0.1:PORT/".to_owned()),
                false => Ok(Self::Answers(text.to_owned())),
            };
        }
        if text.starts_with("https://") {
            return Err(
                "only http:// can be asked\nhint: wait for a line of the service's output instead".to_owned()
            );
        }
        if let Ok(duration) = parse_period(text) {
            return Ok(Self::After(duration));
        }
        regex_lite::Regex::new(text).map(Self::Says).map_err(|error| error.to_string())
    }
}

/// Whether a URL answers, within a second, with a status below 400. A redirection is an answer.
#[must_use]
pub fn answers(url: &str) -> bool {
    let response = minreq::get(url).with_follow_redirects(false).with_timeout(1).send_lazy();
    response.is_ok_and(|response| response.status_code < 400)
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn what_is_no_url_and_no_duration_is_a_regular_expression() {
        assert!(matches!(When::parse("http://localhost:1/x"), Ok(When::Answers(url)) if url.ends_with("/x")));
        assert!(matches!(When::parse("2s"), Ok(When::After(time)) if time == Duration::from_secs(2)));
        assert!(matches!(When::parse("[Rr]eady"), Ok(When::Says(regex)) if regex.is_match("is ready now")));
        assert!(When::parse("https://localhost/").unwrap_err().contains("hint: "));
        assert!(When::parse("http://:80/").unwrap_err().contains("hint: "));
        assert!(When::parse("(").is_err());
    }

    #[test]
    fn an_answer_is_a_status_below_400() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let statuses = ["200 OK", "302 Found\r\nLocation: http://127.0.0.1:1/", "404 Not Found", "503 Busy"];
        let server = std::thread::spawn(move || {
            for status in statuses {
                let (mut stream, _) = listener.accept().unwrap();
                let request = BufReader::new(stream.try_clone().unwrap());
                request.lines().take_while(|line| line.as_ref().is_ok_and(|line| !line.is_empty())).count();
                write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").unwrap();
            }
        });
        assert_eq!(statuses.map(|_| answers(&url)), [true, true, false, false]);
        server.join().unwrap();
        // Nobody listens any more.
        assert!(!answers(&url));
    }
}
