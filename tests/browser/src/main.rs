//! Drives the pages in a real browser: do they load without a word of complaint,
//! step, compute what the engine computes, and serve keyboard, screen reader,
//! paper and small screens?
//!
//! `tests/browser/run` runs it; `-- DIRECTORY` also leaves screenshots there.

mod driver;
mod numbers;
mod pages;
mod use_of_it;

use driver::Browser;
use std::env;
use std::path::PathBuf;

/// A claim, and what holds it to be true or panics.
type Test = (&'static str, fn(&Browser, &pages::Pages));

fn main() {
    let pictures = env::args().nth(1).map(PathBuf::from);
    let pages = pages::Pages::write();
    let browser = Browser::start();
    let tests: [Test; 15] = [
        ("pages are one small file", pages::are_one_small_file),
        (
            "pages load without complaint and fit the screen",
            pages::load_and_fit,
        ),
        ("both themes can be read", pages::both_themes_can_be_read),
        ("hostile names stay text", pages::hostile_names_stay_text),
        (
            "a large tape is drawn in groups",
            pages::a_large_tape_is_drawn_in_groups,
        ),
        ("paper shows all chapters and no controls", pages::paper),
        (
            "values and adjoints are the engine's",
            numbers::of_the_article,
        ),
        (
            "every operation is the engine's",
            numbers::of_every_operation,
        ),
        (
            "NaN is where the engine has it",
            numbers::outside_of_domains,
        ),
        (
            "partials come from the table",
            numbers::partials_come_from_the_table,
        ),
        ("hand-derived formulas agree", numbers::chapters_agree),
        (
            "steps go forwards and backwards to the end",
            use_of_it::steps,
        ),
        (
            "it can be used with the keyboard alone",
            use_of_it::keyboard,
        ),
        (
            "everything has a name and a role",
            use_of_it::names_and_roles,
        ),
        ("motion is left out on request", use_of_it::reduced_motion),
    ];
    for (claim, test) in tests {
        println!("{claim} …");
        browser.resize(1280, 900);
        browser.prefer("light", "no-preference", "screen");
        test(&browser, &pages);
        let said = browser.console();
        assert!(said.is_empty(), "the console: {said:?}");
    }
    if let Some(directory) = pictures {
        pages::take_pictures(&browser, &pages, &directory);
    }
    println!("all {} hold", tests.len());
}
