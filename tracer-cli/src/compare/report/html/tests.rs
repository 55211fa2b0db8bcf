use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::*;

#[test]
fn the_page_fetches_nothing_and_escapes_what_others_wrote() {
    let page = render(&Compared::example()).unwrap();
    for reference in ["http:", "https:", "src=", "href=", "@import", "url("] {
        assert!(!page.contains(reference), "{reference}");
    }
    assert!(page.contains("--name=&lt;a &amp; b&gt;</code>"));
    assert!(
        page.contains("<li>jemalloc &lt;5.3&gt; was asked for its &quot;version&quot; &amp; gave none</li>")
    );
    assert!(page.contains("<strong>./broken.so failed</strong>: killed by SIGSEGV in 10 of 10 runs"));
    assert!(page.contains("Not drawn, because it failed: ./broken.so"));
}

#[test]
fn nothing_measured_gives_a_page_without_charts() {
    let compared = Compared { variants: Vec::new(), figures: Vec::new(), ..Compared::example() };
    let page = render(&compared).unwrap();
    assert!(!page.contains("<figure"), "{page}");
    assert!(!page.contains("<table"), "{page}");
}

/// What the elements of a rendered page say of themselves.
fn attribute<'a>(figure: &'a str, name: &str) -> &'a str {
    let begin = figure.find(&format!(" {name}=\"")).unwrap_or_else(|| panic!("no {name} in {figure}"));
    figure[begin + name.len() + 3..].split('"').next().expect("a quote")
}

#[test]
fn a_browser_draws_every_series_of_every_chart() {
    let Some(browser) = browser() else {
        eprintln!("skipped: no chromium is installed");
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let page = directory.path().join("page.html");
    fs::write(&page, render(&Compared::example()).unwrap()).unwrap();
    let output = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .args(["--enable-logging=stderr", "--dump-dom"])
        .arg(format!("--user-data-dir={}", directory.path().join("profile").display()))
        .arg(format!("file://{}", page.display()))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let complaints: Vec<&str> = said.lines().filter(|line| line.contains("CONSOLE")).collect();
    assert_eq!(complaints, [] as [&str; 0]);
    let rendered = String::from_utf8(output.stdout).unwrap();
    let figures: Vec<&str> =
        rendered.split("<figure").skip(1).map(|rest| rest.split('>').next().unwrap()).collect();
    let mut ids: Vec<&str> = figures.iter().map(|figure| attribute(figure, "id")).collect();
    for figure in figures {
        assert_eq!(attribute(figure, "data-drawn"), attribute(figure, "data-series"), "{figure}");
        assert_ne!(attribute(figure, "data-series"), "0", "{figure}");
        assert_eq!(attribute(figure, "data-outside"), "0", "{figure}");
    }
    let expected = [
        "rounds-wall_time",
        "rounds-peak_rss",
        "latency-malloc",
        "tail-free",
        "latency-calloc",
        "latency-realloc",
        "latency-malloc-64-bytes",
        "latency-free-16-threads",
        "memory-untapped",
        "memory-tapped-0",
    ];
    expected.iter().for_each(|id| assert!(ids.contains(id), "{id} in {ids:?}"));
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "each chart has a name of its own");
}

fn browser() -> Option<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    let path = std::env::var_os("PATH")?;
    let directories: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let candidates =
        names.iter().flat_map(|name| directories.iter().map(move |directory| directory.join(name)));
    candidates.into_iter().find(|path| path.is_file())
}
