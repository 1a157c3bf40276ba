//! The pages under test, and what must hold for each as a whole.

use crate::driver::Browser;
use chainrule::{Tape, Var, inspect};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// Names that no page may stumble over.
const HOSTILE: [&str; 5] = [
    "a \"quoted\" & 'apostrophed' name",
    "<script>window.stumbled = 1</script>",
    "</script><img src=x onerror='window.stumbled = 1'>",
    "two\nlines `${window.stumbled = 1}`",
    "\\u003c \\ {{data}}",
];

pub struct Pages {
    /// The pages that the example writes: σ as one node, and spelled out.
    pub article: [PathBuf; 2],
    pub hostile: PathBuf,
    pub large: PathBuf,
    pub directory: PathBuf,
}

impl Pages {
    pub fn write() -> Self {
        let directory = env::temp_dir().join("chainrule-pages");
        fs::create_dir_all(&directory).expect("a directory for the pages");
        let at = |name: &str| directory.join(name);
        let pages = Self {
            article: [at("derivation.html"), at("spelled-out.html")],
            hostile: at("hostile.html"),
            large: at("large.html"),
            directory: directory.clone(),
        };
        run_example(&pages.article[0], &[]);
        run_example(&pages.article[1], &["--spelled-out"]);
        fs::write(&pages.hostile, hostile()).expect("a page is written");
        fs::write(&pages.large, large()).expect("a page is written");
        pages
    }

    pub fn all(&self) -> [&PathBuf; 4] {
        [
            &self.article[0],
            &self.article[1],
            &self.hostile,
            &self.large,
        ]
    }
}

fn run_example(out: &Path, arguments: &[&str]) {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml");
    let status = Command::new("cargo")
        .args([
            "run",
            "--quiet",
            "--example",
            "derivation",
            "--manifest-path",
        ])
        .arg(manifest)
        .arg("--")
        .args(arguments)
        .arg("--out")
        .arg(out)
        .status();
    assert!(status.expect("cargo runs").success(), "the example fails");
}

fn hostile() -> String {
    let tape = Tape::new();
    let x = tape.var(0.5).named(HOSTILE[0]);
    let y = HOSTILE[1..]
        .iter()
        .fold(x, |x, name| (x.sin() + 1.0).named(name));
    let adjoints = y.backward();
    inspect::html(&adjoints)
        .title(HOSTILE[2])
        .group(HOSTILE[1], &[x])
        .to_string()
}

/// Logistic regression on 300 rows: some thousands of nodes.
fn large() -> String {
    let tape = Tape::new();
    let w: Vec<Var<'_>> = (1..=3)
        .map(|i| tape.var(0.1).named(&format!("w{i}")))
        .collect();
    let mut losses = Vec::new();
    for row in 0..300 {
        let x = [0.1, 0.7, 1.3].map(|by| (by * f64::from(row)).sin());
        let terms = w.iter().zip(x).map(|(w, x)| w * x);
        let z = terms
            .reduce(|sum, term| sum + term)
            .expect("there are weights");
        losses.push(z.softplus() - z * f64::from(row % 2));
    }
    let loss = (losses.into_iter().sum::<Var<'_>>() / 300.0).named("L");
    let adjoints = loss.backward();
    inspect::html(&adjoints).group("parameters", &w).to_string()
}

pub fn are_one_small_file(browser: &Browser, pages: &Pages) {
    for page in &pages.article {
        let bytes = fs::metadata(page).expect("it is there").len();
        assert!(bytes < 300_000, "{} has {bytes} bytes", page.display());
    }
    for page in pages.all() {
        browser.open(page, "");
        let fetched = "return performance.getEntriesByType('resource').length";
        assert_eq!(
            browser.run(fetched),
            0,
            "{} fetches something",
            page.display()
        );
    }
}

pub fn load_and_fit(browser: &Browser, pages: &Pages) {
    for page in pages.all() {
        for (width, height) in [(1280, 900), (768, 900), (390, 844)] {
            for colours in ["light", "dark"] {
                browser.resize(width, height);
                browser.prefer(colours, "no-preference", "screen");
                for hash in ["", "#step=0", "#step=9&chapter=2&node=6"] {
                    browser.open(page, hash);
                    let said = browser.console();
                    assert!(said.is_empty(), "{}: {said:?}", page.display());
                    let wide = browser.run(
                        "const page = document.scrollingElement;
                         return [page.scrollWidth, page.clientWidth]",
                    );
                    let fits = wide[0].as_f64() <= wide[1].as_f64();
                    assert!(fits, "{} at {width}: {wide}", page.display());
                }
            }
        }
    }
}

pub fn both_themes_can_be_read(browser: &Browser, pages: &Pages) {
    let program = r##"
        const style = getComputedStyle(document.documentElement);
        const light = (name) => {
            const probe = document.createElement("i");
            probe.style.color = style.getPropertyValue(name);
            document.body.append(probe);
            const parts = getComputedStyle(probe).color.match(/[\d.]+/g).slice(0, 3).map((part) => {
                const c = Number(part) / 255;
                return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
            });
            probe.remove();
            return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
        };
        const contrast = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        const texts = ["--ink", "--soft", "--go", "--back", "--good"].map(light);
        const grounds = ["--paper", "--card", "--area"].map(light);
        return [light("--paper"), Math.min(...texts.flatMap((a) => grounds.map((b) => contrast(a, b))))];
    "##;
    for (system, chosen, dark) in [
        ("light", "", false),
        ("dark", "", true),
        ("light", "#theme=dark", true),
        ("dark", "#theme=light", false),
    ] {
        browser.prefer(system, "no-preference", "screen");
        browser.open(&pages.article[0], chosen);
        let found = browser.run(program);
        assert_eq!(
            found[0].as_f64().expect("a number") < 0.2,
            dark,
            "{system} {chosen}"
        );
        let least = found[1].as_f64().expect("a number");
        assert!(least >= 4.5, "{system} {chosen}: a contrast of {least}");
    }
    browser.run("document.getElementById('theme').click()");
    let theme = browser.run("return document.documentElement.dataset.theme");
    assert_eq!(theme, "dark", "the button goes on from light");
}

pub fn hostile_names_stay_text(browser: &Browser, pages: &Pages) {
    browser.open(&pages.hostile, "");
    let known = browser.run("return window.chainrule.data.nodes.length");
    assert_eq!(known, 9);
    let program = r##"
        for (const node of document.querySelectorAll(".node")) node.dispatchEvent(new MouseEvent("click"));
        for (let i = 0; i < window.chainrule.steps().length; i += 1) window.chainrule.goTo(i);
        return [typeof window.stumbled, document.querySelectorAll("img").length, document.title,
            document.querySelectorAll("script").length];
    "##;
    let found = browser.run(program);
    assert_eq!(found[0], "undefined");
    assert_eq!(found[1], 0);
    assert_eq!(found[2], HOSTILE[2]);
    assert_eq!(found[3], 2);
}

pub fn a_large_tape_is_drawn_in_groups(browser: &Browser, pages: &Pages) {
    browser.open(&pages.large, "");
    let boxes = "return document.querySelectorAll('.node').length";
    let groups = browser.run(boxes).as_u64().expect("a number");
    assert!((20..200).contains(&groups), "{groups} groups");
    browser
        .run("document.querySelectorAll('.node.group')[3].dispatchEvent(new MouseEvent('click'))");
    let inside = browser.run(boxes).as_u64().expect("a number");
    assert!((20..300).contains(&inside), "{inside} nodes inside");
    assert!(
        browser
            .run("return document.getElementById('view').selectedIndex")
            .as_u64()
            > Some(0)
    );
    let link = "document.querySelector('#node .link').click();
        return document.querySelector('.node.chosen').getAttribute('aria-label')";
    assert!(
        browser.run(link).is_string(),
        "a node that is chosen is drawn"
    );
    // A step in a group that is not open still says what happens.
    let said = browser
        .run("window.chainrule.goTo(1500); return document.getElementById('caption').textContent");
    assert!(
        said.as_str().is_some_and(|text| text.contains("wards:")),
        "{said}"
    );
}

pub fn paper(browser: &Browser, pages: &Pages) {
    browser.prefer("dark", "no-preference", "print");
    browser.open(&pages.article[0], "");
    let program = r##"
        const seen = (selector) => [...document.querySelectorAll(selector)].filter((e) => e.checkVisibility()).length;
        return [seen(".bar"), seen("#theme"), seen(".chapter"), seen("#nodes tr"), seen(".stage"),
            getComputedStyle(document.body).backgroundColor];
    "##;
    let found = browser.run(program);
    assert_eq!(found.to_string(), r#"[0,0,7,20,1,"rgb(255, 255, 255)"]"#);
}

pub fn take_pictures(browser: &Browser, pages: &Pages, directory: &Path) {
    fs::create_dir_all(directory).expect("a directory for the pictures");
    for (width, height) in [(1280, 900), (390, 844)] {
        for colours in ["light", "dark"] {
            browser.resize(width, height);
            browser.prefer(colours, "no-preference", "screen");
            for (what, hash) in [
                ("forwards", "#step=8"),
                ("backwards", "#step=30"),
                ("node", "#node=10&chapter=3"),
            ] {
                browser.open(&pages.article[0], hash);
                browser.screenshot(&directory.join(format!("{what}-{width}-{colours}.png")));
            }
        }
    }
}
