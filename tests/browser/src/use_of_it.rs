//! Can it be used: steps, keys, names and roles, motion?

use crate::driver::Browser;
use crate::pages::Pages;
use std::thread::sleep;
use std::time::Duration;

const RIGHT: char = '\u{e014}';
const LEFT: char = '\u{e012}';
const HOME: char = '\u{e011}';
const END: char = '\u{e010}';
const ENTER: char = '\u{e007}';
const ESCAPE: char = '\u{e00c}';
const TAB: char = '\u{e004}';

fn step(browser: &Browser) -> u64 {
    browser
        .run("return window.chainrule.state.step")
        .as_u64()
        .expect("a number")
}

fn text(browser: &Browser, id: &str) -> String {
    let found = browser.run(&format!(
        "return document.getElementById('{id}').textContent"
    ));
    found.as_str().expect("a text").to_owned()
}

/// How many nodes show a value, and how many an adjoint.
fn shown(browser: &Browser) -> (usize, usize) {
    let count = |class| {
        let program = format!(
            "return [...document.querySelectorAll('.node .{class}')].filter((e) => e.textContent).length"
        );
        browser.run(&program).as_u64().expect("a number") as usize
    };
    (count("value"), count("adjoint"))
}

pub fn steps(browser: &Browser, pages: &Pages) {
    browser.open(&pages.article[0], "");
    let last = browser
        .run("return window.chainrule.steps().length - 1")
        .as_u64()
        .expect("a number");
    // 13 operations, the seed, 20 edges, and the end.
    assert_eq!(last, 13 + 1 + 20 + 1);
    browser.press(&[HOME]);
    assert_eq!((step(browser), shown(browser)), (0, (6, 0)));
    for at in 1..=last {
        browser.press(&[RIGHT]);
        assert_eq!(step(browser), at);
        let said = text(browser, "caption");
        match at {
            1..=13 => assert!(said.contains("Forwards:"), "{said}"),
            35 => assert!(said.contains("The sweep has passed"), "{said}"),
            _ => assert!(said.contains("Backwards:"), "{said}"),
        }
        let (values, adjoints) = shown(browser);
        assert_eq!(values, 6 + (at as usize).min(13));
        assert!(adjoints == 0 || at > 13);
    }
    assert_eq!(shown(browser), (19, 19));
    browser.press(&[RIGHT]);
    assert_eq!(step(browser), last, "there is nothing after the end");
    for at in (0..last).rev() {
        browser.press(&[LEFT]);
        assert_eq!(step(browser), at);
    }
    assert_eq!(shown(browser), (6, 0));
    // The share by which dL/dz arrives: dL/da · ∂a/∂z.
    browser.run(
        "const at = window.chainrule.steps().findIndex((step) => step.edge && step.edge.to === 10);
         window.chainrule.goTo(at);",
    );
    let said = text(browser, "caption");
    assert!(said.contains("−1.2725 · 0.1683 = −0.21417"), "{said}");
    browser.run(
        "const slider = document.getElementById('step');
         slider.value = '5';
         slider.dispatchEvent(new Event('input'));",
    );
    assert_eq!(step(browser), 5);
}

pub fn keyboard(browser: &Browser, pages: &Pages) {
    browser.open(&pages.article[0], "");
    browser.press(&[END, HOME, ' ']);
    sleep(Duration::from_millis(2600));
    let after = step(browser);
    assert!(after >= 1, "the space bar plays");
    browser.press(&[' ']);
    let paused = step(browser);
    sleep(Duration::from_millis(1600));
    assert_eq!(step(browser), paused, "the space bar pauses");

    let focused =
        "return document.activeElement.getAttribute('aria-label') || document.activeElement.id";
    let mut met = Vec::new();
    for _ in 0..60 {
        browser.press(&[TAB]);
        met.push(browser.run(focused).as_str().expect("a text").to_owned());
        if met
            .last()
            .is_some_and(|label| label.starts_with("a = σ(z)"))
        {
            break;
        }
    }
    let last = met.last().expect("something has the focus");
    assert!(
        last.starts_with("a = σ(z)"),
        "the tab key goes to nodes: {met:?}"
    );
    for control in [
        "To the start",
        "play",
        "A step on",
        "Step",
        "view",
        "search",
        "fit",
    ] {
        assert!(
            met.iter().any(|label| label == control),
            "{control} in {met:?}"
        );
    }
    let said = text(browser, "node");
    assert!(said.contains("sigmoid"), "a focused node is shown: {said}");
    browser.press(&[ENTER]);
    let said = text(browser, "node");
    assert!(
        said.contains("sigmoid") && said.contains("2 paths lead to L"),
        "{said}"
    );
    browser.press(&[']']);
    assert!(text(browser, "node").contains("operation ln"));
    browser.press(&['[', '[']);
    assert_eq!(browser.run("return window.chainrule.state.chosen"), 9, "z");
    browser.press(&[ESCAPE]);
    assert!(
        browser
            .run("return window.chainrule.state.chosen")
            .is_null()
    );
    browser.press(&['/']);
    browser.press(&['s', 'i', 'g', 'm', ENTER]);
    assert_eq!(
        browser.run("return window.chainrule.state.chosen"),
        10,
        "a is found"
    );
    let dim = browser.run("return document.querySelectorAll('.node.dim').length");
    assert_eq!(dim, 18);
    browser.press(&[ESCAPE]);
    assert_eq!(
        browser.run("return document.querySelectorAll('.node.dim').length"),
        0
    );

    let scale = "return document.querySelector('#drawing > g').getAttribute('transform').split('scale(')[1]";
    let before = browser.run(scale);
    browser.press(&['+']);
    assert_ne!(browser.run(scale), before, "the plus key scales");
    browser.press(&['0']);
}

pub fn names_and_roles(browser: &Browser, pages: &Pages) {
    browser.open(&pages.article[1], "#node=13");
    let program = r##"
        const nameless = [...document.querySelectorAll("button, input, select, .node")].filter((e) => {
            const labelled = e.getAttribute("aria-label") || (e.labels && e.labels.length > 0);
            return !labelled && e.textContent.trim() === "";
        });
        const levels = [...document.querySelectorAll("h1, h2, h3")].map((e) => Number(e.tagName[1]));
        const jumps = levels.filter((level, i) => i > 0 && level > levels[i - 1] + 1);
        const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
        return {
            nameless: nameless.length,
            roles: [...document.querySelectorAll(".node")].every((e) => e.getAttribute("role") === "button" && e.tabIndex === 0),
            said: document.querySelectorAll(".node")[0].getAttribute("aria-label"),
            live: document.getElementById("caption").getAttribute("aria-live"),
            rows: document.querySelectorAll("#nodes tbody tr").length,
            jumps: jumps.length,
            twice: ids.length - new Set(ids).size,
            language: document.documentElement.lang,
            headings: document.querySelectorAll("h1").length,
        };
    "##;
    let found = browser.run(program);
    assert_eq!(found["nameless"], 0);
    assert_eq!(found["roles"], true);
    assert_eq!(found["said"], "x₁, value 1.5, adjoint −0.08567");
    assert_eq!(found["live"], "polite");
    assert_eq!(found["rows"], 22, "the table has every node");
    assert_eq!((&found["jumps"], &found["twice"]), (&0.into(), &0.into()));
    assert_eq!(
        (&found["language"], &found["headings"]),
        (&"en".into(), &1.into())
    );
    // Chapters can be walked through.
    let turn = "document.getElementById('next-chapter').click();
        return document.querySelector('.chapter.current h3').textContent";
    let mut titles = Vec::new();
    for _ in 0..6 {
        titles.push(browser.run(turn).as_str().expect("a text").to_owned());
    }
    let expected = [
        "1 · dL/da",
        "2 · da/dz",
        "3 · dL/dz",
        "4 · dz/dw",
        "5 · dz/db",
        "The answer",
    ];
    assert_eq!(titles, expected);
    let answer = browser.run("return document.querySelector('.chapter.current').textContent");
    assert!(answer.as_str().is_some_and(|text| text.contains("dL/dw₁")));
    browser.run("document.querySelector('.chapter.current .show').click()");
    let marked = browser.run("return document.querySelectorAll('.node.marked').length");
    assert!(
        marked.as_u64() > Some(5),
        "the way from w1 to L is marked: {marked}"
    );
}

pub fn reduced_motion(browser: &Browser, pages: &Pages) {
    let program = "const at = window.chainrule.steps().findIndex((step) => step.kind === 'share');
        window.chainrule.goTo(at);
        return getComputedStyle(document.querySelector('.edge.active.backward .wire')).animationName";
    for (motion, expected) in [("no-preference", "back"), ("reduce", "none")] {
        browser.prefer("light", motion, "screen");
        browser.open(&pages.article[0], "");
        assert_eq!(browser.run(program), expected);
    }
}
